import { mainJob } from '../flows/main-job.ts';
import { compiledProgram } from '../support/programs.ts';

mainJob(compiledProgram);
