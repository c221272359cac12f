/** `make fuzz-wire`: what may come over the wire, from strangers and from peers that have joined. The same seed gives the same. */
import { parseArgs } from 'node:util';
import { startServer } from '../fuzz/server-under-test.ts';
import { compiledProgram, sourceProgram } from '../support/programs.ts';
import { attackControl } from './control-campaign.ts';
import { attackGateway } from './gateway-campaign.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    connections: { type: 'string', default: '5000' },
    program: { type: 'string', default: 'compiled' },
  },
});
const seed = Number(values.seed);
const connections = Number(values.connections);
const program = values.program === 'sources' ? sourceProgram : compiledProgram;
process.stdout.write(`seed ${seed}; again: make fuzz-wire SEED=${seed}\n`);
await using server = await startServer(program);
const control = await attackControl({ server, seed, connections, floodBytes: 512 * 2 ** 20 });
process.stdout.write(`control connection: ${JSON.stringify(control, null, 2)}\n`);
const leaks = await server.logLinesWith([server.token]);
const gateway = await attackGateway({ seed, connections, ...(program === compiledProgram ? { program } : {}) });
process.stdout.write(`gateway: ${JSON.stringify(gateway, null, 2)}\n`);
process.exitCode = control.problems.length + gateway.problems.length + leaks.length > 0 ? 1 : 0;
