import { Box } from "@mantine/core";
import classes from "./email.module.css";

/** Text as it is; a long one scrolls, also by keyboard. */
export function Verbatim({ label, children }: { label: string; children: string }) {
  return (
    <Box component="pre" role="region" aria-label={label} tabIndex={0} className={classes.text}>
      {children}
    </Box>
  );
}
