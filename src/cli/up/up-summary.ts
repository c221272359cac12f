import type { WorkspaceView } from '../../contract/workspace.ts';
import { hostAlias } from '../ssh/ssh-config-text.ts';
import type { FoundEditor } from '../editor/find-editors.ts';
import { formatFields } from '../terminal/table.ts';
import type { Output } from '../terminal/output.ts';
import { paint } from '../terminal/paint.ts';
import { workspaceText } from '../workspace/workspace-text.ts';
import type { LocalClone } from '../workspace/clone-here.ts';
import type { WorkspaceSource } from '../workspace/workspace-source.ts';

export type UpResult = {
  readonly view: WorkspaceView;
  readonly source: WorkspaceSource;
  readonly found: FoundEditor | null;
  readonly opened: boolean;
  /** On this machine; null: none was wanted. */
  readonly clone: LocalClone | null;
};

/** The end of the journey: the workspace, its git, its editor, and real commands to go on with. */
export function upSummaryText(
  { view, source, found, opened, clone }: UpResult,
  options: { output: Output; nowMs: number },
): string {
  const { output } = options;
  const link = found?.editor.link(view) ?? null;
  const { branch, url } = view.repository;
  const { upstream_url: upstream } = source.repo;
  const fields: (readonly [string, string])[] = [
    ...(found === null ? [] : [['Editor', opened ? `${found.editor.title} opens it` : found.editor.title] as const]),
    ...(link === null ? [] : [['Link', link] as const]),
    ...(branch === null ? [] : [['Branch', branch] as const]),
    // A folder that was sent may have come from nowhere.
    ...(url === '' ? [] : [['origin', url] as const]),
    ...(upstream === undefined ? [] : [['upstream', upstream] as const]),
    ...(clone === null ? [] : [['Clone', clone.is_new ? clone.path : `${clone.path}, as it was`] as const]),
  ];
  const steps = nextSteps(view, { upstream }).map((step) => `  ${step}\n`);
  return `${workspaceText(view, options)}\n${formatFields(fields, output)}\n${paint(output).bold('Next')}\n${steps.join('')}`;
}

function nextSteps({ name, repository }: WorkspaceView, { upstream }: { upstream: string | undefined }): string[] {
  const original = upstream?.replace(/^https?:\/\/[^/]+\/|\.git$/g, '');
  const pull =
    original === undefined
      ? []
      : [`gh pr create --repo ${original} --head ${repository.owner}:${repository.branch ?? 'BRANCH'}`];
  return [
    `ssh ${hostAlias(name)}`,
    ...pull,
    `nexus workspace logs ${name} --follow`,
    `nexus workspace exec ${name} -- git status`,
    `nexus workspace connect ${name}`,
    `nexus workspace down ${name}`,
  ];
}
