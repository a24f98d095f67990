/** `tapflow show` */
import { queryVerb } from './verb.ts';

export const show = queryVerb({
  name: 'show',
  args: '',
  summary: 'Show bridges and their ports',
  help: `A port that could not be set up is shown with the error; the others work.`,
});
