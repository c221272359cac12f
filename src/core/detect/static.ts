import { named, withPort, type Detector } from './detector.ts';

const folders = ['', 'public', 'site', 'www', 'static', 'html'];
const usualPort = 8000;

/** A folder of static files. */
export const staticFiles: Detector = {
  name: 'static',
  kind: 'fallback',
  detect(folder) {
    const root = folders.find((name) => folder.has(name === '' ? 'index.html' : `${name}/index.html`));
    if (root === undefined) return null;
    const folderOption = root === '' ? '' : ` --directory ${root}`;
    const page = named(folder, root === '' ? 'index.html' : `${root}/index.html`);
    return {
      services: [
        withPort(usualPort, (port) => ({ name: 'web', command: `python3 -m http.server ${port}${folderOption}` })),
      ],
      packages: [],
      notes: [`${page}: static files, served on port ${usualPort}`],
    };
  },
};
