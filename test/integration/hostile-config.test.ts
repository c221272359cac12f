import { hostileConfigs } from '../flows/hostile-config.ts';
import { sourceProgram } from '../support/programs.ts';

hostileConfigs(sourceProgram);
