/** What a link in a mail is about, or that it is not valid any more. */
import { Button, Center, Loader } from "@mantine/core";
import { type QueryKey, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Entry } from "@/components/entry";
import { Problem } from "@/components/problem";

interface Props<Found> {
  queryKey: QueryKey;
  look: () => Promise<Found>;
  title: string;
  children: (found: Found) => ReactNode;
}

export function SecretLink<Found>({ queryKey, look, title, children }: Props<Found>) {
  const found = useQuery({ queryKey, queryFn: look, staleTime: Number.POSITIVE_INFINITY, retry: false });
  if (found.data !== undefined) return children(found.data);
  return (
    <Entry title={title}>
      {found.error ? (
        <>
          <Problem error={found.error} />
          <Button component="a" href="/sign-in" variant="default">
            Go to sign-in
          </Button>
        </>
      ) : (
        <Center py="md">
          <Loader aria-label="Loading" />
        </Center>
      )}
    </Entry>
  );
}
