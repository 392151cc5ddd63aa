/** A button to another page; nothing where the person has no such page. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useReachable } from "@/session/reachable";

interface Props {
  /** With a query, perhaps: "/domains/abc?tab=smtp". */
  to: string;
  /** The one to press here. */
  main?: boolean;
  children: ReactNode;
}

export function PageButton({ to, main, children }: Props) {
  const reachable = useReachable();
  if (!reachable(to)) return null;
  return (
    <Button component={Link} to={to} variant={main ? "filled" : "default"}>
      {children}
    </Button>
  );
}
