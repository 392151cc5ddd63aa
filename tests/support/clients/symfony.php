<?php
// One message by Symfony Mailer. In: settings as JSON on standard input. Out: outcome, shown, queue_id as JSON.

use Symfony\Component\Mailer\Mailer;
use Symfony\Component\Mailer\Transport\Smtp\EsmtpTransport;
use Symfony\Component\Mime\Email;

$in = json_decode(stream_get_contents(STDIN), true);
require $in['library'];
require_once '/usr/share/php/Symfony/Component/Mime/autoload.php';
['target' => $target, 'mail' => $message] = $in;

$transport = new EsmtpTransport($target['host'], $target['port'], $target['encryption'] === 'implicit');
if ($target['username']) {
    $transport->setUsername($target['username']);
    $transport->setPassword($target['password']);
}
$transport->getStream()->setTimeout(20);
if ($target['authority']) {
    $transport->getStream()->setStreamOptions(['ssl' => ['cafile' => $target['authority']]]);
}
try {
    $email = (new Email())->from($message['sender'])->to(...$message['recipients']);
    $email->subject($message['subject'])->text($message['text']);
    $email->getHeaders()->addIdHeader('Message-ID', trim($message['message_id'], '<>'));
    if ($message['reply_to']) {
        $email->replyTo($message['reply_to']);
    }
    if ($message['header']) {
        $email->getHeaders()->addTextHeader(...$message['header']);
    }
    $email->toString();
} catch (Throwable $error) {
    exit(json_encode(['outcome' => 'not sent', 'shown' => get_class($error) . ': ' . $error->getMessage()]));
}
try {
    $sent = $transport->send($email);
    preg_match('/queued as (\w+)/', $sent->getDebug(), $found);
    $shown = 'send() returns; the reply is in SentMessage::getDebug()';
    echo json_encode(['outcome' => 'accepted', 'shown' => $shown, 'queue_id' => $found[1] ?? '']);
} catch (Throwable $error) {
    $shown = get_class($error) . ': ' . trim($error->getMessage());
    echo json_encode(['outcome' => 'refused', 'shown' => $shown], JSON_INVALID_UTF8_SUBSTITUTE);
}
