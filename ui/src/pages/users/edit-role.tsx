import { Modal } from "@mantine/core";
import { data, v1 } from "@/api/client";
import { SESSION } from "@/api/queries";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { fullName, type User } from "./members";
import { type Granted, grantOf, RoleFields } from "./role-fields";

export function EditRole({ user, close }: { user: User | null; close: () => void }) {
  return (
    <Modal opened={user !== null} onClose={close} title={user && `Role of ${fullName(user)}`}>
      {user && <EditForm user={user} close={close} />}
    </Modal>
  );
}

function EditForm({ user, close }: { user: User; close: () => void }) {
  const form = useApiForm<Granted, User>({
    initialValues: {
      role: user.role,
      permissions: user.permissions,
      domains: user.domains.map((domain) => domain.id),
      templates: user.templates.map((template) => template.id),
    },
    send: (values) =>
      data(v1.PUT("/users/{user_id}", { params: { path: { user_id: user.id } }, body: grantOf(values) })),
    // One's own role, perhaps.
    refresh: [["users"], [...SESSION]],
    done: (changed) => {
      notifyDone(`${fullName(changed)} is ${changed.role} now.`);
      close();
    },
  });
  return (
    <Form form={form} submit="Save" cancel={close}>
      <RoleFields form={form} />
    </Form>
  );
}
