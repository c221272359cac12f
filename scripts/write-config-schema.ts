// Writes the JSON Schema of .nexus/config.yaml that editors use; a test tells when it is not up to date.
import { writeFileSync } from 'node:fs';
import { repositoryConfigJsonSchema } from '../src/contract/repository-config.ts';

writeFileSync(
  new URL('../schema/nexus-config.schema.json', import.meta.url),
  `${JSON.stringify(repositoryConfigJsonSchema(), null, 2)}\n`,
);
