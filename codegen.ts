/** Types of the pages' GraphQL documents: `npm run codegen` reads schema.graphql and app/, writes app/_graphql/generated. */
import type { CodegenConfig } from '@graphql-codegen/cli'

const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['app/**/*.graphql'],
  ignoreNoDocuments: true,
  silent: true,
  generates: {
    'app/_graphql/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        avoidOptionals: false,
        scalars: { DateTime: 'string', JSON: 'unknown', ID: 'string' },
      },
    },
  },
}

export default config
