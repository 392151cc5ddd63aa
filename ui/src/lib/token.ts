import { useEffect, useState } from "react";

/**
 * What a link of a mail brings behind its #: "/invite#TOKEN", or with a name "/sign-in#link=TOKEN". It is taken out of the
 * address at once, so that it is in no history and no screenshot. "" if there is none. A link that is opened where its page
 * is open already loads nothing: then it comes later.
 */
export function useToken(name?: string): string {
  const [token, setToken] = useState(() => take(name));
  useEffect(() => {
    const changed = () => setToken((before) => take(name) || before);
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, [name]);
  return token;
}

function take(name: string | undefined): string {
  const hash = window.location.hash.slice(1);
  const found = name === undefined ? hash : hash.startsWith(`${name}=`) ? hash.slice(name.length + 1) : "";
  if (found)
    window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
  return found;
}
