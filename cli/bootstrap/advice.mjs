/** What the person at the keyboard can mend. Printed without a stack. */
export class Advice extends Error {}

export function say(text) {
  console.log(text);
}
