/**
 * Ready-made pieces of code that send one message, or configure a program to send through the relay. Each is quoted by the
 * rules of its language: a password may hold anything.
 */
export interface Relay {
  server: string;
  port: number;
  /** "starttls" is what plug-ins call TLS, "implicit" what they call SSL. */
  tls: "starttls" | "implicit";
  username: string;
  password: string;
  /** An address that may stand in From. */
  from: string;
  to: string;
  /** The file with the certificate authority that clients have to trust; null: one that they trust already. */
  authority: string | null;
}

export interface Snippet {
  /** "Node.js". */
  name: string;
  /** Where it goes: "config/mail.php". */
  place: string;
  code: (relay: Relay) => string;
}

export const SNIPPETS: Snippet[] = [
  { name: "swaks", place: "In a terminal", code: swaks },
  { name: "Python", place: "send.py", code: python },
  { name: "Node.js", place: "send.mjs, after npm install nodemailer", code: node },
  { name: "PHP", place: "send.php, after composer require phpmailer/phpmailer", code: php },
  { name: "WordPress", place: "wp-content/mu-plugins/smtp.php", code: wordpress },
  { name: "Django", place: "settings.py", code: django },
  { name: "Laravel", place: ".env", code: laravel },
  { name: "Rails", place: "config/environments/production.rb", code: rails },
  { name: "Postfix", place: "/etc/postfix, as a smarthost", code: postfix },
];

const implicit = (relay: Relay) => relay.tls === "implicit";

/** One word of a POSIX shell. */
export function shell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A string of Python, and of JavaScript: JSON is one of both, but for the line ends that older JavaScript forbids. */
export function json(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, escaped);
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A string in single quotes, in which PHP and Ruby know two escapes and nothing else. */
export function single(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** A value in a .env file: within double quotes phpdotenv takes \ " $ for more than themselves. */
export function dotenv(text: string): string {
  return `"${text.replace(/[\\"$]/g, "\\$&")}"`;
}

function swaks(relay: Relay): string {
  const words: [string, string][] = [
    ["--server", relay.server],
    ["--port", String(relay.port)],
    ["--auth-user", relay.username],
    ["--auth-password", relay.password],
    ["--from", relay.from],
    ["--to", relay.to],
    ["--h-Subject", "Hello"],
  ];
  if (relay.authority) words.push(["--tls-ca-path", relay.authority]);
  const lines = words.map(([option, value]) => `  ${option} ${shell(value)}`);
  return [`swaks ${implicit(relay) ? "--tls-on-connect" : "--tls"} --tls-verify`, ...lines].join(" \\\n");
}

function python(relay: Relay): string {
  const trust = relay.authority ? `cafile=${json(relay.authority)}` : "";
  const at = `${json(relay.server)}, ${relay.port}`;
  return lines(
    "import smtplib, ssl",
    "from email.message import EmailMessage",
    "",
    "message = EmailMessage()",
    `message["From"] = ${json(relay.from)}`,
    `message["To"] = ${json(relay.to)}`,
    'message["Subject"] = "Hello"',
    'message.set_content("It works.")',
    "",
    `trust = ssl.create_default_context(${trust})`,
    implicit(relay)
      ? `with smtplib.SMTP_SSL(${at}, context=trust) as relay:`
      : `with smtplib.SMTP(${at}) as relay:`,
    !implicit(relay) && "    relay.starttls(context=trust)",
    `    relay.login(${json(relay.username)}, ${json(relay.password)})`,
    "    relay.send_message(message)",
  );
}

function node(relay: Relay): string {
  return lines(
    relay.authority && 'import { readFileSync } from "node:fs";',
    'import nodemailer from "nodemailer";',
    "",
    "const relay = nodemailer.createTransport({",
    `  host: ${json(relay.server)},`,
    `  port: ${relay.port},`,
    `  secure: ${implicit(relay)},`,
    !implicit(relay) && "  requireTLS: true,",
    `  auth: { user: ${json(relay.username)}, pass: ${json(relay.password)} },`,
    relay.authority && `  tls: { ca: readFileSync(${json(relay.authority)}) },`,
    "});",
    "await relay.sendMail({",
    `  from: ${json(relay.from)},`,
    `  to: ${json(relay.to)},`,
    '  subject: "Hello",',
    '  text: "It works.",',
    "});",
  );
}

/** What PHPMailer is told, in PHP and in WordPress, which has it built in. */
function phpmailer(relay: Relay): string[] {
  const told = [
    `$mail->Host = ${single(relay.server)};`,
    `$mail->Port = ${relay.port};`,
    `$mail->SMTPSecure = '${implicit(relay) ? "ssl" : "tls"}';`,
    "$mail->SMTPAuth = true;",
    `$mail->Username = ${single(relay.username)};`,
    `$mail->Password = ${single(relay.password)};`,
  ];
  if (relay.authority)
    told.push(`$mail->SMTPOptions = ['ssl' => ['cafile' => __DIR__ . ${single(`/${relay.authority}`)}]];`);
  return told;
}

function php(relay: Relay): string {
  return lines(
    "<?php",
    "require 'vendor/autoload.php';",
    "",
    "$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);",
    "$mail->isSMTP();",
    ...phpmailer(relay),
    `$mail->setFrom(${single(relay.from)});`,
    `$mail->addAddress(${single(relay.to)});`,
    "$mail->Subject = 'Hello';",
    "$mail->Body = 'It works.';",
    "$mail->send();",
  );
}

function wordpress(relay: Relay): string {
  return lines(
    "<?php",
    "add_action('phpmailer_init', function ($mail) {",
    "    $mail->isSMTP();",
    ...phpmailer(relay).map((line) => `    ${line}`),
    "});",
    `add_filter('wp_mail_from', fn () => ${single(relay.from)});`,
  );
}

function django(relay: Relay): string {
  return lines(
    relay.authority && `# Start Django with SSL_CERT_FILE=${shell(relay.authority)}`,
    'EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"',
    `EMAIL_HOST = ${json(relay.server)}`,
    `EMAIL_PORT = ${relay.port}`,
    `EMAIL_USE_${implicit(relay) ? "SSL" : "TLS"} = True`,
    `EMAIL_HOST_USER = ${json(relay.username)}`,
    `EMAIL_HOST_PASSWORD = ${json(relay.password)}`,
    `DEFAULT_FROM_EMAIL = ${json(relay.from)}`,
  );
}

function laravel(relay: Relay): string {
  return lines(
    relay.authority && `# Start PHP with -d openssl.cafile=${shell(relay.authority)}`,
    "MAIL_MAILER=smtp",
    `MAIL_SCHEME=${implicit(relay) ? "smtps" : "smtp"}`,
    `MAIL_HOST=${dotenv(relay.server)}`,
    `MAIL_PORT=${relay.port}`,
    `MAIL_USERNAME=${dotenv(relay.username)}`,
    `MAIL_PASSWORD=${dotenv(relay.password)}`,
    `MAIL_FROM_ADDRESS=${dotenv(relay.from)}`,
  );
}

function rails(relay: Relay): string {
  return lines(
    "config.action_mailer.delivery_method = :smtp",
    "config.action_mailer.smtp_settings = {",
    `  address: ${single(relay.server)},`,
    `  port: ${relay.port},`,
    implicit(relay) ? "  tls: true," : "  enable_starttls: true,",
    "  authentication: :plain,",
    `  user_name: ${single(relay.username)},`,
    `  password: ${single(relay.password)},`,
    relay.authority && `  ca_file: ${single(relay.authority)},`,
    "}",
    `config.action_mailer.default_options = { from: ${single(relay.from)} }`,
  );
}

const POSTFIX_AUTHORITY = "/etc/postfix/relay-ca.crt";

/** Postfix takes a line of a map as it is: the password after the first colon, up to the end of the line. */
function postfix(relay: Relay): string {
  const next = `[${relay.server}]:${relay.port}`;
  const trust = relay.authority ? [`smtp_tls_CAfile=${POSTFIX_AUTHORITY}`] : [];
  const settings = [
    `relayhost=${next}`,
    "smtp_sasl_auth_enable=yes",
    "smtp_sasl_security_options=noanonymous",
    "smtp_sasl_password_maps=texthash:/etc/postfix/sasl_passwd",
    "smtp_tls_security_level=secure",
    ...(implicit(relay) ? ["smtp_tls_wrappermode=yes"] : []),
    ...(trust.length > 0 ? trust : ["smtp_tls_CApath=/etc/ssl/certs"]),
  ];
  return lines(
    relay.authority && `cp ${shell(relay.authority)} ${POSTFIX_AUTHORITY}`,
    "umask 077",
    `printf '%s\\n' ${shell(`${next} ${relay.username}:${relay.password}`)} > /etc/postfix/sasl_passwd`,
    `postconf -e ${settings.map(shell).join(" \\\n  ")}`,
    "postfix reload",
  );
}

/** Those that are there. */
function lines(...all: (string | false | null | undefined | "")[]): string {
  return all.filter((line) => line !== false && line !== null && line !== undefined).join("\n");
}
