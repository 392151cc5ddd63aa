/** Every line of an attempt with its time: who said it is told by a letter, an indent and a colour. */
import type { Attempt } from "./steps";
import classes from "./transcript.module.css";

const LETTERS = { client: "C:", server: "S:", note: "·" } as const;
const NAMES = { client: "Postroom", server: "Their server", note: "What happened" } as const;

export function Transcript({ attempt }: { attempt: Attempt }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
    <ol className={classes.lines} tabIndex={0} aria-label={`Transcript of attempt ${attempt.number}`}>
      {attempt.transcript.map((line, place) => (
        <li
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no names, and never move
          key={place}
          data-who={line.who}
          data-refused={(line.who === "server" && /^[45]\d\d/.test(line.text)) || undefined}
        >
          <span className={classes.at} title="Since the attempt began">
            {seconds(line.at_ms)}
          </span>
          <abbr className={classes.who} title={NAMES[line.who]}>
            {LETTERS[line.who]}
          </abbr>
          <span className={classes.text}>{line.text}</span>
        </li>
      ))}
    </ol>
  );
}

/** "0.412", aligned by its dot. */
function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
