import tseslint from 'typescript-eslint'
import importX from 'eslint-plugin-import-x'
import reactHooks from 'eslint-plugin-react-hooks'
import prettier from 'eslint-config-prettier'

/** Dependencies point one way: app -> GraphQL -> server -> lib; in lib: tensor <- engine, image, text <- methods, metrics. */
const zone = (target, from, message) => ({ target, from, message })

/** The rooms of the ONNX engine, each with those that it may look into (docs/engine.md draws them). */
const ROOMS = {
  graph: [],
  operators: ['graph'],
  file: ['graph'],
  run: ['graph', 'file'],
  gradient: ['graph', 'operators'],
  prepare: ['graph', 'operators', 'file', 'run'],
  question: ['graph', 'operators', 'run', 'gradient'],
}
const roomZones = Object.entries(ROOMS).map(([room, open]) =>
  zone(
    `./lib/engine/onnx/${room}`,
    // `model` looks into all of them, and none of them into it.
    [...Object.keys(ROOMS), 'model']
      .filter((other) => other !== room && !open.includes(other))
      .map((other) => `./lib/engine/onnx/${other}`),
    `${room} looks into ${open.length === 0 ? 'no other room' : open.join(', ')} only`,
  ),
)

export default tseslint.config(
  {
    ignores: [
      'node_modules/',
      '.next/',
      'data/',
      'dist/',
      'prisma/generated/',
      'app/_graphql/generated/',
      'next-env.d.ts',
      'test-results/',
      '.venv/',
    ],
  },
  tseslint.configs.strict,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers stand in most messages: shapes, counts, limits. They read as they should.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Texts are counted in code points here, as Python counts them, and [...text] is that.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // `() => close()` and `(value) => seen.push(value)` are how a callback is written here, `return put(node)` how a case ends.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Vitest's asymmetric matchers (expect.objectContaining, expect.any) are `any`, and stand in every expected answer.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    plugins: { 'import-x': importX },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // What is in node_modules has no way back into here.
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            zone('./app', './server', 'pages know GraphQL, not the server'),
            zone('./app', './lib', 'pages know GraphQL, not lib'),
            zone('./lib', './server', 'lib is pure'),
            zone('./lib', './app', 'lib is pure'),
            zone('./lib', './prisma', 'lib is pure'),
            zone('./server', './app', 'the server serves pages, it does not import them'),
            zone(
              './lib/tensor',
              [
                './lib/engine',
                './lib/image',
                './lib/text',
                './lib/methods',
                './lib/metrics',
                './lib/models',
                './lib/render',
              ],
              'tensor is the bottom',
            ),
            zone(
              './lib/engine',
              ['./lib/methods', './lib/metrics', './lib/image', './lib/text', './lib/models', './lib/render'],
              'engines know tensors only',
            ),
            ...roomZones,
            zone(
              './lib/image',
              ['./lib/methods', './lib/metrics', './lib/engine', './lib/text'],
              'image knows tensors only',
            ),
            zone(
              './lib/text',
              ['./lib/methods', './lib/metrics', './lib/engine', './lib/image'],
              'text knows tensors only',
            ),
          ],
        },
      ],
    },
    settings: { 'import-x/resolver-next': [importX.createNodeResolver({ extensions: ['.ts', '.tsx', '.js'] })] },
  },
  {
    files: ['lib/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'process', message: 'lib reads no environment' }],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'randomness is seeded and passed in' },
        { object: 'Date', property: 'now', message: 'lib has no clock; pass it in' },
      ],
    },
  },
  {
    files: ['app/**/*.tsx', 'app/**/*.ts'],
    plugins: { 'react-hooks': reactHooks },
    rules: reactHooks.configs.recommended.rules,
  },
  prettier,
)
