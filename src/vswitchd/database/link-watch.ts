/** Hears of what happens to the host's network devices. */
import { type LinkEvent, native } from '../../native.ts';

export interface LinkWatch {
  close(): void;
}

/** @param changed told of events in batches; undefined: some were lost, so anything may have happened */
export type LinksChanged = (events: readonly LinkEvent[] | undefined) => void;

/** As many take below a millisecond; while there are more, the callback is called again. */
const MAX_READS = 32;

/** @throws TapflowError */
export function watchLinks(changed: LinksChanged): LinkWatch {
  const fd = native().openLinkEvents();
  const watch = native().watchEvent(fd, () => {
    const events: LinkEvent[] = [];
    for (let n = 0; n < MAX_READS; n++) {
      const some = native().readLinkEvents(fd);
      if (some === null) changed(undefined);
      else if (some === undefined) break;
      else events.push(...some);
    }
    changed(events);
  });
  return {
    close() {
      native().unwatchEvent(watch);
      native().closeFd(fd);
    },
  };
}
