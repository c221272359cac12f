/** What a person may write for a repository. */
import { usageError } from '../cli-error.ts';
import type { CliError } from '../cli-error.ts';

export type RemoteRepository = {
  readonly owner: string;
  readonly name: string;
  /** Null: GitHub's, from owner and name. */
  readonly url: string | null;
  readonly branch: string | null;
  /** The branch is of a page's address, where a folder of the repository may follow it. */
  readonly branchMayHaveFolder?: true;
};

const githubPage = /^(?:https?:\/\/)?(?:www\.)?github\.com\/([^/?#]+)\/([^/?#]+?)(?:\.git)?(?:\/(.*?))?\/?(?:[?#].*)?$/;
/** The same of a GitHub Enterprise Server, whose host can be any. Other services have other addresses. */
const enterprisePage =
  /^(https?:\/\/[^/?#@]+\/)([^/?#]+)\/([^/?#]+?)(?:\.git)?\/((?:tree|commit)\/[^?#]+?|pull\/\d+(?:\/[^?#]*)?)\/?(?:[?#].*)?$/;
const scpLike = /^(?:[\w.-]+@)?[\w.-]+:(?!\/\/)(.+)$/;

/** `./x`, `/x`, `~/x`, `.`: a path, whatever is or is not there. */
export function looksLikePath(text: string): boolean {
  return /^(?:\.{1,2}|~)?\/|^(?:\.{1,2}|~)$/.test(text);
}

/**
 * Reads `owner/name`, a page of GitHub (of a repository, a branch, a pull request or a commit) or any git URL.
 * @throws CliError of wrong use
 */
export function parseRepositoryReference(text: string): RemoteRepository {
  if (/^[\w.-]+\/[\w.-]+$/.test(text)) {
    const [owner = '', name = ''] = text.split('/');
    return { owner, name: name.replace(/\.git$/, ''), url: null, branch: null };
  }
  const page = githubPage.exec(text);
  if (page !== null) {
    const [, owner = '', name = '', rest = ''] = page;
    return {
      owner,
      name,
      url: `https://github.com/${owner}/${name}.git`,
      ...branchOfPage(rest, { text, owner, name }),
    };
  }
  const ofEnterprise = text.endsWith('.git') ? null : enterprisePage.exec(text);
  if (ofEnterprise !== null) {
    const [, site = '', owner = '', name = '', rest = ''] = ofEnterprise;
    return { owner, name, url: `${site}${owner}/${name}.git`, ...branchOfPage(rest, { text, owner, name }) };
  }
  const path = pathOfUrl(text);
  if (path === null) {
    throw usageError(`${text || 'The empty text'} is neither owner/name, nor a git URL, nor a folder that is there.`, {
      next: 'nexus workspace create --help',
    });
  }
  return { ...ownerAndName(path), url: text, branch: null };
}

type Page = { readonly text: string; readonly owner: string; readonly name: string };

function branchOfPage(rest: string, page: Page): Pick<RemoteRepository, 'branch' | 'branchMayHaveFolder'> {
  if (rest === '') return { branch: null };
  const [kind = '', ...more] = rest.split('/');
  const tail = decoded(more.join('/'));
  if (kind === 'pull' && /^\d+$/.test(more[0] ?? '')) return { branch: `refs/pull/${more[0]}/head` };
  if (kind === 'commit' && tail !== '') return { branch: tail };
  if (kind === 'tree' && tail !== '')
    return { branch: tail, ...(more.length > 1 ? { branchMayHaveFolder: true as const } : {}) };
  throw otherPage(page);
}

/** A page of a repository that says nothing of what to work on. */
export function otherPage({ text, owner, name }: Page): CliError {
  return usageError(`${text} is a page of a repository, but not of a branch, a commit or a pull request.`, {
    next: `nexus workspace create ${owner}/${name}`,
  });
}

/** What is no percent-encoding stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function pathOfUrl(text: string): string | null {
  if (/^(?:https?|ssh|git|file):\/\//.test(text)) {
    if (!URL.canParse(text)) return null;
    const url = new URL(text);
    if (url.password !== '') {
      throw usageError('The URL holds a password, which would be written down in the workspace.', {
        next: `nexus workspace create ${withoutCredentials(text)}`,
      });
    }
    return decoded(url.pathname);
  }
  return scpLike.exec(text)?.[1] ?? null;
}

/** Stands for the owner of a folder that came from nowhere. */
export const localOwner = 'local';

/** The last two parts of a path, made fit to be an owner and a name. */
export function ownerAndName(path: string): { owner: string; name: string } {
  const parts = path
    .replace(/\.git\/?$/, '')
    .split('/')
    .filter(Boolean)
    .map(clean);
  return { owner: parts.at(-2) || localOwner, name: parts.at(-1) || 'repository' };
}

function clean(part: string): string {
  return part
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 100);
}

/** The URL without user name and password, which do not belong in a workspace. */
export function withoutCredentials(url: string): string {
  return url.replace(/^(https?:\/\/)[^/@]*@/, '$1');
}

/** `host/owner/name` in lower case: the same for every way to write the same repository; null for no URL. */
export function canonicalRepository(url: string): string | null {
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(url);
  const [host, path] = scp === null ? hostAndPath(url) : [scp[1] ?? '', scp[2] ?? ''];
  return host === '' ? null : `${host}/${path.replaceAll(/^\/+|\/+$|\.git\/?$/g, '')}`.toLowerCase();
}

function hostAndPath(url: string): [host: string, path: string] {
  if (!URL.canParse(url)) return ['', ''];
  const { hostname, pathname } = new URL(url);
  return [hostname, pathname];
}

/** A workspace's name made of a repository's: 1 to 40 of `[a-z0-9-]`; empty when nothing of it is left. */
export function workspaceSlug(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/\p{Mn}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '');
}
