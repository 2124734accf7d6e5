#!/usr/bin/env node
import { main } from './cli.ts';

// The composition root: the one file of the core that knows the modules.
const code = await main(
  process.argv.slice(2),
  async () => (await import('../../modules/index.ts')).builtinModules,
);
process.exit(code);
