/** Words that appear for some seconds: that something was done, or that it failed. */
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { Problem } from "@/components/problem";

export function notifyDone(message: string) {
  notifications.show({ message, icon: <IconCheck size={18} />, color: "postroom", autoClose: 4000 });
}

/** Stays until it is closed: whoever looked away would miss it. */
export function notifyFailed(error: Error) {
  notifications.show({
    message: <Problem error={error} plain />,
    icon: <IconAlertTriangle size={18} />,
    color: "red",
    autoClose: false,
  });
}
