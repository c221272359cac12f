const titles: Readonly<Record<string, string>> = {
  preparing_base: 'Prepare the image',
  creating_container: 'Create the container',
  starting_container: 'Start the container',
  configuring_ssh: 'Set up SSH',
  waiting_for_source: 'Wait for the repository',
  cloning: 'Clone the repository',
  reading_config: 'Read the configuration',
  installing: 'Install dependencies',
  running_hook: 'Run hooks',
  stopping_container: 'Stop the container',
  removing_container: 'Remove the container',
};

/** What a step is called when it comes again: the services are known by then. */
const repeatedTitles: Readonly<Record<string, string>> = { configuring_ssh: 'Set the environment' };

/** `starting_service:web` → `Start web`; an unknown step of a newer server → its words. */
export function stepTitle(step: string, { isRepeated = false } = {}): string {
  const [name = '', subject] = step.split(':');
  if (name === 'starting_service') return `Start ${subject}`;
  if (name === 'stopping_service') return `Stop ${subject}`;
  const known = (isRepeated ? repeatedTitles[step] : undefined) ?? titles[name];
  const words = known ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
  return subject === undefined ? words : `${words}: ${subject}`;
}
