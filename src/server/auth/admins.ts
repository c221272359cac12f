/** Whether the configuration lists the name; GitHub's names are the same in capitals. */
export function isAdmin(admins: readonly string[], name: string): boolean {
  return admins.some((admin) => admin.toLowerCase() === name.toLowerCase());
}
