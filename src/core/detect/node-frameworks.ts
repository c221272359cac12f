/** Servers that a package.json's scripts start: where they listen, and what makes them listen for others than the machine. */
export type NodeFramework = {
  readonly name: string;
  /** In the text of a script. */
  readonly pattern: RegExp;
  readonly port: number;
  /** Given to the script, when it ends in this command. */
  readonly hostOption?: string;
};

const host = '--host 0.0.0.0';

/** The first that matches counts: frameworks that bring Vite along stand before it. */
const frameworks: readonly NodeFramework[] = [
  { name: 'Next.js', pattern: command('next(?: dev| start)?'), port: 3000 },
  { name: 'Nuxt', pattern: command('(?:nuxt|nuxi)(?: dev| start)?'), port: 3000 },
  { name: 'Create React App', pattern: command('(?:react-scripts|react-app-rewired|craco) start'), port: 3000 },
  { name: 'Astro preview', pattern: command('astro preview'), port: 4321, hostOption: host },
  { name: 'Astro', pattern: command('astro(?: dev| start)?'), port: 4321, hostOption: host },
  { name: 'Angular', pattern: command('ng serve'), port: 4200, hostOption: host },
  { name: 'Ember', pattern: command('ember (?:serve|server|s)'), port: 4200 },
  { name: 'Gatsby', pattern: command('gatsby develop'), port: 8000, hostOption: host },
  { name: 'Docusaurus', pattern: command('docusaurus start'), port: 3000, hostOption: host },
  { name: 'Vue CLI', pattern: command('vue-cli-service serve'), port: 8080 },
  { name: 'Eleventy', pattern: command('(?:eleventy|@11ty/eleventy)'), port: 8080 },
  { name: 'webpack', pattern: command('(?:webpack serve|webpack-dev-server)'), port: 8080, hostOption: host },
  { name: 'Parcel', pattern: command('parcel'), port: 1234 },
  { name: 'NestJS', pattern: command('nest start'), port: 3000 },
  { name: 'Vite preview', pattern: command('vite preview'), port: 4173, hostOption: host },
  { name: 'Remix', pattern: command('(?:remix|react-router) (?:vite:)?dev'), port: 5173, hostOption: host },
  { name: 'Vite', pattern: command('(?:vite|vite dev|vite serve)'), port: 5173, hostOption: host },
  { name: 'http-server', pattern: command('http-server'), port: 8080 },
  { name: 'serve', pattern: command('serve'), port: 3000 },
  { name: 'json-server', pattern: command('json-server'), port: 3000 },
];

/** At the beginning of a command: of the script, after `&&`, `;`, `|`, a variable, `npx` or `cross-env`. */
function command(words: string): RegExp {
  return new RegExp(
    String.raw`(?:^|[&|;]\s*|\s['"]|^['"]|\w=\S*\s+|\bnpx\s+|\bcross-env\s+)(?:${words})(?=$|[\s'";&|])(?!\s+(?:build|export|generate|lint|check|sync|init|add)\b)`,
  );
}

export function frameworkOf(script: string): NodeFramework | undefined {
  return frameworks.find(({ pattern }) => pattern.test(script));
}

/** The option that makes the script's server listen on all addresses; undefined when it says so itself or takes none. */
export function hostOption(script: string, framework: NodeFramework): string | undefined {
  const last =
    script
      .split(/&&|;|\|\|/)
      .at(-1)
      ?.trim() ?? '';
  const takesOptions =
    framework.hostOption !== undefined && framework.pattern.test(last) && !/\s--host\b|['"&|]/.test(last);
  return takesOptions ? framework.hostOption : undefined;
}
