"""The payload of each operation, in Interakt's own spelling: types that mypy, pyright and an editor check.

Limits and rules between fields belong to the worker, which checks each payload again. Section numbers are
those of Interakt's API document.
"""

# No postponed annotations here: with them Python 3.11 takes every key of a TypedDict for a required one.

from typing import Any, Literal, NotRequired, TypedDict

Traits = dict[str, Any]


class Recipient(TypedDict):
    """``countryCode`` (``+91`` if left out) and ``phoneNumber``, or ``fullPhoneNumber``: digits, no plus."""

    countryCode: NotRequired[str]
    phoneNumber: NotRequired[str]
    fullPhoneNumber: NotRequired[str]
    userId: NotRequired[str]


class SmsContent(TypedDict):
    message: str
    dlt_te_id: NotRequired[str]
    variables: NotRequired[list[str]]


class Fallback(TypedDict):
    """What is sent by SMS when the message cannot be delivered."""

    channel: str
    content: SmsContent
    sender_id: NotRequired[str]
    pe_id: NotRequired[str]
    provider_name: NotRequired[str]


class Message(Recipient):
    """What every message may carry; ``callbackData`` comes back in its receipts."""

    callbackData: NotRequired[str]
    campaignId: NotRequired[str]


class FallbackMessage(Message):
    """A message that may be followed by one on another channel."""

    fallback: NotRequired[list[Fallback]]


# 1. Users and events


class TrackUser(Recipient):
    """1.1: create or update a user, by ``userId`` or by phone."""

    traits: NotRequired[Traits]
    tags: NotRequired[list[str]]
    add_to_sales_cycle: NotRequired[bool]
    createdAt: NotRequired[str]


class TrackEvent(Recipient):
    """1.2: record an event of a user."""

    event: str
    traits: NotRequired[Traits]
    createdAt: NotRequired[str]


# 2. Messages inside the 24-hour window


class TextData(TypedDict):
    message: str


class MediaData(TypedDict):
    mediaUrl: str
    message: NotRequired[str]
    fileName: NotRequired[str]


class SendText(Message):
    """A text message."""

    type: NotRequired[Literal["Text"]]
    data: TextData


class SendImage(Message):
    """2.1"""

    type: NotRequired[Literal["Image"]]
    data: MediaData


class SendDocument(Message):
    """2.2"""

    type: NotRequired[Literal["Document"]]
    data: MediaData


class SendVideo(Message):
    """2.3"""

    type: NotRequired[Literal["Video"]]
    data: MediaData


class SendAudio(Message):
    """2.4"""

    type: NotRequired[Literal["Audio"]]
    data: MediaData


class SendSticker(Message):
    """2.5"""

    type: NotRequired[Literal["Sticker"]]
    data: MediaData


class TextPart(TypedDict):
    text: str


class TextHeader(TypedDict):
    type: NotRequired[Literal["text"]]
    text: str


class Reply(TypedDict):
    id: str
    title: str


class ReplyButton(TypedDict):
    type: Literal["reply"]
    reply: Reply


class ButtonsAction(TypedDict):
    buttons: list[ReplyButton]


class InteractiveParts(TypedDict):
    header: NotRequired[TextHeader]
    footer: NotRequired[TextPart]


class ButtonsMessage(InteractiveParts):
    type: Literal["button"]
    body: TextPart
    action: ButtonsAction


class ButtonsData(InteractiveParts):
    """Either ``message``, or ``body`` and ``action`` as the document has it."""

    message: NotRequired[ButtonsMessage]
    body: NotRequired[TextPart]
    action: NotRequired[ButtonsAction]


class SendButtons(Message):
    """2.6: up to 3 reply buttons."""

    type: NotRequired[Literal["InteractiveButton"]]
    data: ButtonsData


class Row(TypedDict):
    id: str
    title: str
    description: NotRequired[str]


class Section(TypedDict):
    title: NotRequired[str]
    rows: list[Row]


class ListAction(TypedDict):
    button: str
    sections: list[Section]


class ListMessage(InteractiveParts):
    type: Literal["list"]
    body: TextPart
    action: ListAction


class ListData(InteractiveParts):
    """Either ``message``, or ``body`` and ``action`` as the document has it."""

    message: NotRequired[ListMessage]
    body: NotRequired[TextPart]
    action: NotRequired[ListAction]


class SendList(Message):
    """2.7: a menu of up to 10 rows."""

    type: NotRequired[Literal["InteractiveList"]]
    data: ListData


# 3. Templates


class Card(TypedDict):
    """One card of a carousel; ``buttonValues`` maps a button's position (``"0"``, ``"1"``) to its values."""

    headerValues: NotRequired[list[str]]
    bodyValues: NotRequired[list[str]]
    buttonValues: NotRequired[dict[str, list[str]]]


class RcsTemplate(Card):
    """The approved template's code name, its language and the values of its variables."""

    name: str
    languageCode: str
    carouselCards: NotRequired[list[Card]]


class Order(TypedDict):
    status: str
    description: NotRequired[str]


class OrderStatus(TypedDict):
    reference_id: str
    order: Order


class Template(RcsTemplate):
    """3.1 to 3.6"""

    fileName: NotRequired[str]
    order_status: NotRequired[OrderStatus]
    template_category: NotRequired[str]


class AuthTemplate(TypedDict):
    """3.3: the code is ``bodyValues[0]`` and again ``buttonValues["0"][0]``."""

    name: str
    languageCode: str
    bodyValues: list[str]
    buttonValues: dict[str, list[str]]
    template_category: NotRequired[str]


class TemplateMessage(FallbackMessage):
    type: NotRequired[Literal["Template"]]
    template_category: NotRequired[str]


class SendTemplate(TemplateMessage):
    """3.1, 3.2, 3.4, 3.5, 3.6"""

    template: Template


class SendAuthTemplate(TemplateMessage):
    """3.3: a one-time password; goes before everything else and expires."""

    template: AuthTemplate


# 4. Templates, made and listed


class TemplateButton(TypedDict):
    type: str
    text: str
    url: NotRequired[str]
    phone_number: NotRequired[str]
    example: NotRequired[str | list[str]]


class MediaHeader(TypedDict):
    header_format: NotRequired[str | None]
    header_handle: NotRequired[list[str]]
    header_handle_file_url: NotRequired[str | None]
    header_handle_file_name: NotRequired[str | None]


class TemplateCard(MediaHeader):
    card_index: NotRequired[int]
    cardTitle: NotRequired[str]
    body: NotRequired[str]
    body_text: NotRequired[list[str]]
    buttons: NotRequired[list[TemplateButton]]


class CreateTemplate(MediaHeader):
    """4.1 to 4.3; ``header`` is the header's text and ``header_text`` its samples, or text as in 4.1."""

    display_name: str
    language: str
    category: str
    body: str
    header: NotRequired[str | None]
    header_text: NotRequired[str | list[str] | None]
    body_text: NotRequired[list[str] | None]
    footer: NotRequired[str | None]
    button_type: NotRequired[str | None]
    buttons: NotRequired[list[TemplateButton] | None]
    button_text: NotRequired[str | list[str] | None]
    carousel_cards: NotRequired[list[TemplateCard]]


class ListTemplates(TypedDict):
    """4.4: one page."""

    offset: NotRequired[int]
    limit: NotRequired[int]
    template_name: NotRequired[str]
    autosubmitted_for: NotRequired[str]
    approval_status: NotRequired[str]
    variable_present: NotRequired[str]
    language: NotRequired[str]


class UploadTemplateMedia(TypedDict):
    """A file for ``header_handle``: ``fileUrl``, public, or ``filePath``, in the worker's media directory."""

    fileUrl: NotRequired[str]
    filePath: NotRequired[str]
    fileName: str
    fileCategory: NotRequired[str]


# 5. Campaigns


class CreateCampaign(TypedDict):
    """5.1"""

    campaign_name: str
    campaign_type: str
    template_name: str
    language_code: str


class RunCampaign(TypedDict, total=False):
    """A campaign of the worker's: a planned one's id, or what to plan. Files are names in ``INTERAKT_CAMPAIGN_DIR``."""

    campaign: str
    definition: str | dict[str, Any]
    recipients: str | list[dict[str, Any]]


# 6. Customers


class Filter(TypedDict):
    """``supr_op`` joins a filter to the one before it."""

    trait: str
    op: str
    val: Any
    supr_op: NotRequired[str]


class FindUsers(TypedDict):
    """6.1: one page; ``limit`` at most 100."""

    filters: list[Filter]
    offset: NotRequired[int]
    limit: NotRequired[int]


# 7. RCS


class RcsMessage(FallbackMessage):
    """``template`` is sent with ``type`` ``Template``, in place of ``message``."""

    template: NotRequired[RcsTemplate]


class RcsText(TypedDict):
    plainText: str


class SendRcsText(RcsMessage):
    """7.1"""

    type: NotRequired[Literal["Text", "Template"]]
    message: NotRequired[RcsText]


class ContentInfo(TypedDict):
    fileUrl: str


class CardMedia(TypedDict):
    contentInfo: ContentInfo
    mediaHeight: NotRequired[str]


class PostBack(TypedDict):
    data: str


class SuggestedReply(TypedDict):
    plainText: str
    postBack: NotRequired[PostBack]


class Suggestion(TypedDict):
    reply: SuggestedReply


class RichCard(TypedDict):
    cardTitle: str
    cardDescription: NotRequired[str]
    cardMedia: NotRequired[CardMedia]
    suggestions: NotRequired[list[Suggestion]]


class RcsCarousel(TypedDict):
    contents: list[RichCard]
    cardWidth: NotRequired[str]


class RcsCarouselDetails(TypedDict):
    carousel: RcsCarousel


class RcsCarouselMessage(TypedDict):
    richCardDetails: RcsCarouselDetails


class SendRcsCarousel(RcsMessage):
    """7.2"""

    type: NotRequired[Literal["CAROUSEL", "Template"]]
    message: NotRequired[RcsCarouselMessage]


class RcsStandalone(TypedDict):
    content: RichCard
    cardOrientation: NotRequired[str]


class RcsCardDetails(TypedDict):
    standalone: RcsStandalone


class RcsCardMessage(TypedDict):
    richCardDetails: RcsCardDetails


class SendRcsCard(RcsMessage):
    """7.3"""

    type: NotRequired[Literal["STANDALONE_CAROUSEL", "Template"]]
    message: NotRequired[RcsCardMessage]


# 8. Chats


class AssignChat(TypedDict):
    """8.1"""

    userId: str
    agentId: str


class AssignChatToAgent(TypedDict):
    """The current ``assignment/``: ``user_phone_number`` is digits with country code, without a plus."""

    user_phone_number: str
    agent_email: str
    wc_id: NotRequired[str]
