/** The machines that nexus is compiled for, as Node.js names them. */
export const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'] as const;
export type Platform = (typeof platforms)[number];

/** What the program for a platform is called where it is downloaded and where an administrator puts it. */
export function programFileName(platform: Platform): `nexus-${Platform}` {
  return `nexus-${platform}`;
}

export function platformOfProgram(fileName: string): Platform | undefined {
  return platforms.find((platform) => programFileName(platform) === fileName);
}
