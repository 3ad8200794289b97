/** @type {import('next').NextConfig} */
const config = {
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
  // `npm run check` checks the types of the whole repository; a build need not do it again.
  typescript: { ignoreBuildErrors: true },
}

export default config
