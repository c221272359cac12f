import { mainJob } from '../flows/main-job.ts';
import { sourceProgram } from '../support/programs.ts';

mainJob(sourceProgram);
