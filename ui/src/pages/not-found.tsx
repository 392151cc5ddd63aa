import { Button } from "@mantine/core";
import { IconMapPinOff } from "@tabler/icons-react";
import { Link } from "react-router";
import { Empty } from "@/components/empty";
import { Page } from "@/components/page";

export default function NotFound() {
  return (
    <Page title="Not found">
      <Empty
        title="There is no such page"
        icon={IconMapPinOff}
        action={
          <Button component={Link} to="/" mt="xs">
            Home
          </Button>
        }
      >
        The address may be mistyped, or what it was about is gone.
      </Empty>
    </Page>
  );
}
