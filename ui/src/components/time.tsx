/** When something was: in words that age by themselves, with the exact time on hover and focus. */
import { Text, Tooltip } from "@mantine/core";
import { useContext, useEffect, useState } from "react";
import { exact, nextChange, relative } from "@/lib/time";
import { SessionContext } from "@/session/session";

/** The zone the person has chosen; "" is the browser's. */
export function useTimeZone(): string {
  return useContext(SessionContext)?.user.time_zone ?? "";
}

/** `at` as the API writes it; `is` "exact" shows the time itself. */
export function Time({ at, is = "relative" }: { at: string; is?: "relative" | "exact" }) {
  const zone = useTimeZone();
  const moment = Date.parse(at);
  const now = useNow(moment);
  const [words, more] =
    is === "exact"
      ? [exact(moment, zone), relative(moment, now)]
      : [relative(moment, now), exact(moment, zone)];
  return (
    <Tooltip label={more} events={{ hover: true, focus: true, touch: true }}>
      <Text component="time" dateTime={at} inherit span style={{ whiteSpace: "nowrap" }}>
        {words}
      </Text>
    </Tooltip>
  );
}

function useNow(moment: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setTimeout(() => setNow(Date.now()), nextChange(moment, now));
    return () => clearTimeout(timer);
  }, [moment, now]);
  return now;
}
