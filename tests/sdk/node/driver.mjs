// Drives the clients for Node: reads a line of JSON, does what it asks, answers with a line of JSON, until the input ends.
//
//   {"action": "send", "arguments": [settings, mail]}  ->  {"answer": ...} or {"error": ...}
//
// `settings` say which relay: {url, token} for the API, {port, username, password} for SMTP. A `mail` is what
// tests/support/sdk writes; it is put together here as a user of the library does it.

import { createInterface } from "node:readline";
import { Attachment, EmailParams, MailerSend, Recipient, Sender } from "mailersend";
import nodemailer from "nodemailer";

// The library has no option for the address of the API, but its modules are given one.
function mailerSend({ url, token }) {
  const client = new MailerSend({ apiKey: token });
  for (const [name, module] of Object.entries(client)) {
    if (isModule(module)) client[name] = new module.constructor(token, url);
  }
  return client;
}

const isModule = (value) => value?.constructor?.name.endsWith("Module");

// "email.webhook" -> the names of its methods
function modules(parent, before = "") {
  return Object.entries(parent)
    .filter(([, value]) => isModule(value))
    .flatMap(([name, module]) => {
      const own = Object.getOwnPropertyNames(Object.getPrototypeOf(module)).filter((method) => method !== "constructor");
      return [[`${before}${name}`, own], ...modules(module, `${before}${name}.`)];
    });
}

const recipients = (contacts) => contacts.map(({ email, name }) => new Recipient(email, name));

function emailParams(mail) {
  const params = new EmailParams();
  const set = {
    from: (value) => params.setFrom(new Sender(value.email, value.name)),
    to: (value) => params.setTo(recipients(value)),
    cc: (value) => params.setCc(recipients(value)),
    bcc: (value) => params.setBcc(recipients(value)),
    rcptTo: (value) => params.setRcptTo(recipients(value)),
    replyTo: (value) => params.setReplyTo(new Sender(value.email, value.name)),
    subject: (value) => params.setSubject(value),
    text: (value) => params.setText(value),
    html: (value) => params.setHtml(value),
    files: (value) =>
      params.setAttachments(
        value.map((file) => new Attachment(file.content, file.name, file.cid ? "inline" : "attachment", file.cid)),
      ),
    headers: (value) => params.setHeaders(Object.entries(value).map(([name, value]) => ({ name, value }))),
    inReplyTo: (value) => params.setInReplyTo(value),
    references: (value) => params.setReferences(value),
    tags: (value) => params.setTags(value),
    data: (value) => params.setPersonalization(Object.entries(value).map(([email, data]) => ({ email, data }))),
    templateId: (value) => params.setTemplateId(value),
    language: (value) => params.setLanguage(value),
    sendAt: (value) => params.setSendAt(value),
    bulk: (value) => params.setPrecedenceBulk(value),
    listUnsubscribe: (value) => params.setListUnsubscribe(value),
  };
  for (const [name, value] of Object.entries(mail)) set[name](value);
  return params;
}

const mailbox = ({ email, name }) => ({ address: email, name: name ?? "" });

function sendBySmtp({ port, username, password }, mail) {
  const transport = nodemailer.createTransport({
    host: "localhost",
    port,
    requireTLS: true,
    auth: { user: username, pass: password },
  });
  return transport.sendMail({
    from: mailbox(mail.from),
    to: mail.to.map(mailbox),
    cc: mail.cc?.map(mailbox),
    bcc: mail.bcc?.map(mailbox),
    replyTo: mail.replyTo && mailbox(mail.replyTo),
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: { ...mail.headers, ...(mail.tags && { "X-MailerSend-Tags": mail.tags.join(", ") }) },
    inReplyTo: mail.inReplyTo,
    references: mail.references,
    attachments: mail.files?.map((file) => ({
      filename: file.name,
      content: file.content,
      encoding: "base64",
      contentDisposition: file.cid ? "inline" : "attachment",
      cid: file.cid,
    })),
  });
}

const actions = {
  send: (settings, mail) => mailerSend(settings).email.send(emailParams(mail)),
  sendBulk: (settings, mails) => mailerSend(settings).email.sendBulk(mails.map(emailParams)),
  // "email.schedule.list" and its arguments
  call: (settings, path, ...given) => {
    const names = path.split(".");
    const method = names.pop();
    const module = names.reduce((object, name) => object[name], mailerSend(settings));
    return module[method](...given);
  },
  sendBySmtp,
  modules: (settings) => Object.fromEntries(modules(mailerSend(settings)).filter(([, methods]) => methods.length)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { action, arguments: given } = JSON.parse(line);
  let said;
  try {
    said = { answer: (await actions[action](...given)) ?? null };
  } catch (error) {
    said = { error: error instanceof Error ? { message: error.message, ...error } : error };
  }
  console.log(JSON.stringify(said));
}
