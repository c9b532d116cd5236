"""Text whose label is missing or wrong is read for what its bytes are."""

import pytest

from contactctl.responses.mail.message import decode_text

KOREAN = "받는 사람의 메일함이 가득 찼습니다. 메일을 배달할 수 없습니다."
RUSSIAN = "Ваше сообщение не доставлено: почтовый ящик переполнен."
UKRAINIAN = "Лист не доставлено: скриньки не існує"
CHINESE = "您的邮件被退回,收件人邮箱不存在,请检查地址后重新发送。"
JAPANESE = "送信先のメールアドレスが見つかりませんでした"
GERMAN = "Der Empfänger wurde nicht gefunden, überprüfen Sie die Schreibweise für müßige Fälle"
FRENCH = "La boîte aux lettres est pleine, désolé; le message a été renvoyé à l'expéditeur"
POLISH = "Skrzynka odbiorcy jest pełna; wiadomość nie została dostarczona"
TURKISH = "Posta kutusu dolu, ileti gönderilemedi. Lütfen ıöşçğü"

GREEK = "Το μήνυμά σας δεν παραδόθηκε: ο παραλήπτης δεν υπάρχει."
HEBREW = "ההודעה שלך לא נמסרה: תיבת הדואר של הנמען מלאה"
ARABIC = "لم يتم تسليم رسالتك: صندوق بريد المستلم ممتلئ"
THAI = "ไม่สามารถส่งข้อความของคุณได้: ไม่พบผู้ใช้"
WRONG = ("", "us-ascii", "iso-8859-1", "utf-8", "windows-1251")


@pytest.mark.parametrize(
    ("text", "charset", "labels"),
    [
        (KOREAN, "euc_kr", ("", "us-ascii", "iso-8859-1", "utf-8", "ks_c_5601-1987", "gb2312")),
        (RUSSIAN, "koi8_r", ("", "utf-8", "iso-8859-1", "windows-1251", "koi8-r", "us-ascii")),
        (RUSSIAN, "cp1251", ("", "utf-8", "iso-8859-1", "windows-1251", "koi8-r")),
        (RUSSIAN, "iso8859_5", ("", "utf-8", "iso-8859-5")),
        (UKRAINIAN, "cp1251", ("", "utf-8", "koi8-r")),
        (CHINESE, "gb2312", ("", "iso-8859-1", "utf-8", "gb2312")),
        (JAPANESE, "euc_jp", ("", "utf-8")),
        (JAPANESE, "shift_jis", ("", "us-ascii")),
        (GERMAN, "latin-1", ("", "iso-8859-1", "us-ascii")),
        (FRENCH, "latin-1", ("", "iso-8859-1", "utf-8")),
        (POLISH, "iso8859_2", ("iso-8859-2",)),
        (TURKISH, "iso8859_9", ("iso-8859-9",)),
        (GREEK, "cp1253", ("windows-1253", *WRONG)),
        (GREEK, "iso8859_7", ("iso-8859-7", *WRONG)),
        (HEBREW, "cp1255", ("windows-1255", *WRONG)),
        (HEBREW, "iso8859_8", ("iso-8859-8", *WRONG)),
        (ARABIC, "cp1256", ("windows-1256", *WRONG)),
        (ARABIC, "iso8859_6", ("iso-8859-6", *WRONG)),
        (THAI, "cp874", ("windows-874", "tis-620", *WRONG)),
    ],
)
def test_text_under_any_label(text: str, charset: str, labels: tuple[str, ...]) -> None:
    assert {decode_text(text.encode(charset), label) for label in labels} == {text}
