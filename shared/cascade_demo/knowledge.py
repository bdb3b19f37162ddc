"""The desk's knowledge base: what its company promises, one short passage a subject.

Data only, in plain words; the numbers are those of `cases`, so that the two cannot drift
apart. How a passage is found is in `retrieval`, the whole as one prompt in `handbook`.
"""

from __future__ import annotations

from dataclasses import dataclass

from cascade_demo.cases import (
    CARRIERS,
    CUT_OFF_HOUR,
    DISPUTE_LIMIT_DAYS,
    GOLD_BONUS_DAYS,
    GRACE_WITH_GOOD_REASON,
    GRACE_WITHOUT,
    LOST_AFTER_DAYS,
    PLANS,
    RETURN_WINDOWS,
    SHIPPING_DAYS,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """One subject of the knowledge base.

    Attributes:
        name: A short name, unique.
        title: What it is about.
        text: The rule, with the desk's answers in quotes. In them N stands for a
            number, and CARRIER, WEEKDAY and NAME for such a word.
        asked: How customers put it; for finding the passage, not for answering.
    """

    name: str
    title: str
    text: str
    asked: str


_WINDOWS = ", ".join(f"{item} {days}" for item, days in RETURN_WINDOWS.items())
_SHIPPING = ", ".join(f"{speed} {days}" for speed, days in SHIPPING_DAYS.items())

PASSAGES = (
    Passage(
        "password-forgotten",
        "Forgotten password",
        'A new password is set with the link on the sign in page: "Use the reset link on the sign '
        'in page."',
        "I forgot my password. I lost the password and cannot get in. How do I reset, renew, "
        "change or replace my password? I do not know or remember it, it is gone or wrong. I "
        "need another, fresh, new password for the app to sign in.",
    ),
    Passage(
        "account-locked",
        "Locked account",
        "Several wrong passwords in a row lock an account for half an hour: "
        '"Your account opens again after 30 minutes."',
        "My account is locked or blocked, I am locked out. I typed the wrong password, I "
        "failed 5 times, after 5 wrong tries. It was wrong several times.",
    ),
    Passage(
        "sign-in-code",
        "No phone for the sign in code",
        "Whoever has no phone for the code of the second step uses one of the codes printed when "
        'the account was opened: "Sign in with a backup code."',
        "I lost, broke or sold my phone and cannot get the code. The code is sent to, goes to "
        "my old phone. My phone is gone or broken, I have a new phone. No code on the phone, "
        "the password is right and works.",
    ),
    Passage(
        "email-lost",
        "No access to the email address",
        "A reset link is sent to the address on the account only. Without access to it the "
        'customer has to be identified: "Please prove who you are first."',
        "The reset link goes to an old email address I lost, cannot open, read or use any "
        "more. My email was hacked, is gone or closed. You sent the link to an email I do not "
        "have.",
    ),
    Passage(
        "billing-date",
        "Billing date",
        "A plan is billed each month on the day it started, or on the day it was moved to: "
        '"You are billed on day N."; for days 29 to 31 "You are billed on the last day of the '
        'month." A day nobody names is asked for: "Which date do you mean?"',
        "When is my next bill or payment due? Which day do I pay, when am I billed or charged, "
        "when is the payment taken? My plan started on the 5th, I joined, began, signed up on "
        "the 5th. I moved or changed the bill from the 3rd to the 7th, it used to be, no "
        "longer. We pay monthly, every month. Billing day.",
    ),
    Passage(
        "trial",
        "Trial",
        "The first bill of a trial of N days that starts on day D is due on day D + N: "
        '"You are billed on day N."',
        "My trial of 7 days, my 7 day trial started or began on the 5th. When is my first bill "
        "or payment? Signed up with, joined with a trial, it runs from the 5th.",
    ),
    Passage(
        "tracking",
        "Following a parcel",
        f"Parcels travel with {', '.join(CARRIERS)}, whose site shows where they are: "
        '"Follow order N with CARRIER." Without an order number: "Which order is it?"',
        "Where is my order? It was sent with dhl. You sent it by ups, it left with dpd. How do "
        "I track or follow order 4711? Can you find it, find out where it is? Fedex has my "
        "order, gls has it.",
    ),
    Passage(
        "lost-parcel",
        "A parcel without news",
        f"A parcel without a scan for more than {LOST_AFTER_DAYS} days counts as lost: "
        '"We send order N again."; before that "Please wait for order N." Without an order number: '
        '"Which order is it?"',
        "No news or scan of my order for 9 days. The order has not moved, did not move, "
        "nothing moves, is stuck at dhl for 9 days now. It is days since the carrier had a "
        "scan. Gives no news.",
    ),
    Passage(
        "delivery",
        "Delivery times",
        f"Working days by shipping: {_SHIPPING}, counted after the day the order is handled. "
        f"Orders from {CUT_OFF_HOUR}:00 or on a weekend are handled on the next working day. "
        '"It arrives on WEEKDAY." Where the shipping is not named: '
        '"Which shipping did you choose?"',
        "I ordered on Monday at 3 pm with express shipping, when does it arrive? Which day "
        "will it come? Standard or economy shipping, paid, ordered Tuesday 9 am, when is it "
        "here or there? It is Friday 10 am, if I order now when will I have it? Wednesday, "
        "Thursday, Saturday, Sunday.",
    ),
    Passage(
        "refund",
        "Refund of returned items",
        "Every returned item is paid back at its price: the number that went back, not the number "
        'kept, times the price. "You get $N back." Without a price: "What was the price?"',
        "I returned, sent back 3 mugs at $12 each, how much do I get back? What do you refund? "
        "How much is my refund? I bought 5 shirts and kept 2, I keep some of them and the "
        "rest, the others went back or are on the way back. Each one cost $12, each was $12. "
        "Of my 5 lamps I sent back 3. Please refund my items.",
    ),
    Passage(
        "return-window",
        "Return windows",
        f"Days from the purchase: {_WINDOWS}. Gold members have {GOLD_BONUS_DAYS} more. "
        '"Yes, N days left." or "No, N days late."; of one day, "1 day". '
        'Without a number of days: "Which date do you mean?"',
        "I bought, got a jacket 20 days ago, can I still return it or send it back? It came 20 "
        "days ago, is it too late or too old, may it go back? I have had it, own it for 20 "
        "days. After 20 days, from 20 days ago, too long. Gold member, gold status: may a gold "
        "member return it?",
    ),
    Passage(
        "overcharge",
        "Wrong charges",
        f"Charges older than {DISPUTE_LIMIT_DAYS} days stay as they are: "
        '"This charge is too old to dispute." Else what was charged too much, more than once or '
        'more than agreed is paid back: "We refund $N."; where nothing was, "No refund is due." '
        'Without the right price: "What was the price?"',
        "I was charged or billed $50 but my plan costs $30. You took $50 instead of $30 from "
        "my card, why? The charge or bill is wrong, it should be, the price is, we agreed on "
        "$30. I was charged twice, two times, three times for one order, the same charge came "
        "twice on my card. I paid too much 30 days ago.",
    ),
    Passage(
        "coupon",
        "Coupons",
        f"A coupon that was forgotten is paid back for {DISPUTE_LIMIT_DAYS} days, as its share of "
        'the price: "We refund $N."; after that "This charge is too old to dispute."',
        "My 20 % coupon was not used, not taken, did not work. I paid the full price of $100. "
        "You forgot my coupon, you owe me. I had a coupon, where is it, it is not in the bill.",
    ),
    Passage(
        "exception",
        "Late returns by exception",
        "Days forgiven after the return window: with a good reason (illness, a death, a flood, our "
        f"own mistake) {GRACE_WITH_GOOD_REASON[0]}, for gold members {GRACE_WITH_GOOD_REASON[1]}; "
        f"without one {GRACE_WITHOUT[0]}, for gold members {GRACE_WITHOUT[1]}. "
        '"Yes, we make an exception." or "No, N days over the limit."; of one day, "1 day". '
        'Without a number of days: "Which date do you mean?"',
        "Can you make an exception? My return is 5 days late, days over the date, too late I "
        "know, I missed the return day because I was in hospital, was very ill, on holiday, "
        "was busy, forgot, had no time, changed my mind. My mother died. The parcel came late, "
        "you sent the wrong size. Will you still take it, accept it back? Please be kind. I am "
        "a gold member, I have gold status, a silver card, I am not a member.",
    ),
    Passage(
        "plan-end",
        "Ending a plan",
        'Every plan can be ended: "Your plan ends after this month."',
        "Cancel, end or stop my plan for good, today, now. I do not want or need my plan any "
        "more. The plan is of no use to me.",
    ),
    Passage(
        "plan-pause",
        "Pausing a plan",
        'A plan may wait for some months or weeks: "Your plan waits for N months." or "Your plan '
        'waits for N weeks."',
        "Pause or hold my plan for 3 months, 3 weeks. May my plan rest, be on hold, wait? I "
        "want to stop for 3 weeks and then start again after that. I will not use it, then I "
        "am back.",
    ),
    Passage(
        "plan-change",
        "Moving to another plan",
        f'The plans are {", ".join(PLANS)}; a change counts at once: "You move to the NAME plan."',
        "I want to change, move, upgrade or switch from basic to plus. We are on family and "
        "need team. Premium is too small, not right for us. Can we have the premium plan "
        "instead of basic?",
    ),
    Passage(
        "order-cancel",
        "Cancelling an order",
        'An order can be cancelled until it arrives: "Order N is cancelled." Without an order '
        'number: "Which order is it?"',
        "Cancel or stop order 4711. I do not want or need the order any more. Order 4711 is "
        "wrong, a mistake, of no use, please cancel it. I want to cancel my order today.",
    ),
    Passage(
        "person",
        "Talking to a person",
        "Whoever asks for a person, or speaks of a lawyer, is called back: "
        '"A person will call you back."',
        "I want to talk, speak to a person, a human, a manager. No robot, no more messages. "
        "Can someone call me back? A human on the line, on the phone. My lawyer will call, "
        "write to you. We will go to a lawyer.",
    ),
    Passage(
        "small-talk",
        "Greetings, thanks and unclear messages",
        'A greeting: "Hello, how can we help?" Thanks: "You are welcome." A message that does not '
        'say what is wrong: "What exactly is the problem?"',
        "Hi, hello, hey, good day, good morning, good evening, is anyone there, is somebody "
        "here, how are you, nice to meet you, I am new here, is this the support desk, can I "
        "ask something. Thanks a lot, many thanks, thank you so much, that helped, it works, "
        "it is solved, you were kind. I have a problem or question with my account. Something, "
        "a thing is wrong with my app, page or account. It does not work, everything is "
        "broken. What is the matter? Please help, do something, fix it, look at it.",
    ),
)
