/** URLs without the user names and passwords in them, for logs, errors and progress. An SSH URL's user is no secret. */
export function hideCredentials(text: string): string {
  return text.replaceAll(/\b((?:https?|ftps?):\/\/)[^\s/@]+@/gi, '$1');
}
