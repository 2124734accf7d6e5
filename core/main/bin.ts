#!/usr/bin/env node
import { main } from './cli.ts';

// The composition root: the one file of the core that knows the modules.
const code = await main(process.argv.slice(2), {
  modules: async () => (await import('../../modules/index.ts')).builtinModules,
  rehearsal: async () => (await import('../../modules/rehearsal.ts')).rehearsal,
});
process.exit(code);
