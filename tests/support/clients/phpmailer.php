<?php
// One message by PHPMailer; what it shows is ErrorInfo, as in its own examples. In: settings as JSON on standard input. Out: outcome, shown, queue_id as JSON.

use PHPMailer\PHPMailer\Exception;
use PHPMailer\PHPMailer\PHPMailer;

$in = json_decode(stream_get_contents(STDIN), true);
require $in['library'];
['target' => $target, 'mail' => $message] = $in;

$mail = new PHPMailer(true);
$mail->CharSet = PHPMailer::CHARSET_UTF8;
$mail->isSMTP();
$mail->Host = $target['host'];
$mail->Port = $target['port'];
$mail->Timeout = 20;
$mail->SMTPSecure = ['starttls' => PHPMailer::ENCRYPTION_STARTTLS, 'implicit' => PHPMailer::ENCRYPTION_SMTPS, 'none' => ''][$target['encryption']];
$mail->SMTPAutoTLS = $target['encryption'] !== 'none';
if ($target['authority']) {
    $mail->SMTPOptions = ['ssl' => ['cafile' => $target['authority']]];
}
$mail->SMTPAuth = $target['username'] !== '';
$mail->Username = $target['username'];
$mail->Password = $target['password'];
try {
    $mail->setFrom($message['sender']);
    foreach ($message['recipients'] as $recipient) {
        $mail->addAddress($recipient);
    }
    if ($message['reply_to']) {
        $mail->addReplyTo($message['reply_to']);
    }
    if ($message['header']) {
        $mail->addCustomHeader(...$message['header']);
    }
    $mail->Subject = $message['subject'];
    $mail->MessageID = $message['message_id'];
    $mail->Body = $message['text'];
    $mail->preSend();
} catch (Exception $error) {
    exit(json_encode(['outcome' => 'not sent', 'shown' => $mail->ErrorInfo]));
}
try {
    $mail->postSend();
    $id = (string) $mail->getSMTPInstance()->getLastTransactionID();
    echo json_encode(['outcome' => 'accepted', 'shown' => 'send() returns true', 'queue_id' => $id]);
} catch (Exception $error) {
    // It accepts the message for the recipients that were taken, and then throws.
    $id = (string) $mail->getSMTPInstance()->getLastTransactionID();
    $outcome = $id === '' ? 'refused' : 'in part';
    echo json_encode(['outcome' => $outcome, 'shown' => $mail->ErrorInfo, 'queue_id' => $id], JSON_INVALID_UTF8_SUBSTITUTE);
}
