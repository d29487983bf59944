#!/usr/bin/env python3
"""Writes the sentences of two public sets as `family<TAB>sentence`, by the trade of Tandem that serves their intent: see README.md.

    public_sentences.py CLINC.json NLU-FOLDER public.tsv

CLINC.json is `data/data_full.json` of clinc/oos-eval; NLU-FOLDER holds the files `trainset/*.csv` and `testset/csv/*.csv` of a fold
of xliuhw/NLU-Evaluation-Data, at any depth. Intents that stand in neither table are ambiguous, or nearly, and left out.
"""
import collections, csv, json, pathlib, random, re, sys

# The trade that serves an intent, of CLINC150.
CLINC = {
    "graph": "calendar calendar_update meeting_schedule schedule_meeting",
    "tasks": "todo_list todo_list_update reminder reminder_update",
    "grocery": "shopping_list shopping_list_update",
    "recipes": "recipe ingredients_list meal_suggestion",
    "expenses": "spending_history",
    "duckduckgo": "definition calories",
    "settings": "change_user_name",
    "none": """
        account_blocked accept_reservations alarm application_status apr are_you_a_bot balance book_flight book_hotel
        calculator cancel_reservation car_rental card_declined change_accent change_ai_name change_language change_speed
        change_volume confirm_reservation credit_limit credit_limit_change credit_score current_location damaged_card date
        direct_deposit directions distance do_you_have_pets expiration_date exchange_rate find_phone flight_status flip_coin
        freeze_account gas goodbye greeting how_busy how_old_are_you income insurance insurance_change interest_rate
        international_fees lost_luggage make_call maybe meaning_of_life measurement_conversion min_payment new_card next_song
        no order order_checks order_status pay_bill pin_change play_music pto_balance pto_request pto_request_status
        pto_used redeem_rewards repeat replacement_card_duration report_fraud report_lost_card reset_settings
        restaurant_reservation restaurant_suggestion rewards_balance roll_dice rollover_401k routing share_location
        smart_home spelling tell_joke text thank_you time timer tire_pressure traffic transfer translate
        travel_notification travel_suggestion uber update_playlist w2 weather what_are_your_hobbies what_is_your_name
        what_song where_are_you_from whisper_mode who_do_you_work_for who_made_you yes oos""",
}
# Of NLU-Evaluation-Data: scenario and intent.
NLU = {
    "graph": "calendar_query calendar_remove calendar_set",
    "recipes": "cooking_recipe",
    "mail": "email_query email_sendemail",
    "duckduckgo": "news_query qa_definition qa_factoid",
    "lists": "lists_createoradd lists_query lists_remove",
    "none": """
        alarm_query alarm_remove alarm_set audio_volume_down audio_volume_mute audio_volume_up datetime_query datetime_convert
        general_affirm general_commandstop general_confirm general_dontcare general_explain general_joke general_negate
        general_praise general_repeat iot_cleaning iot_coffee iot_hue_lightchange iot_hue_lightdim iot_hue_lightoff
        iot_hue_lighton iot_hue_lightup iot_wemo_off iot_wemo_on music_likeness music_query music_settings play_audiobook
        play_game play_music play_podcasts play_radio qa_currency qa_maths qa_stock recommendation_movies social_post
        social_query takeaway_order takeaway_query transport_query transport_taxi transport_ticket transport_traffic
        weather_query""",
}
WAKE = re.compile(r"^((hey|ok|okay|hi) )?(olly|pda|alexa|siri|google|echo|cortana)[,:. ]+|,? (olly|pda|alexa|s2)\b(?=[.?!,]|$)", re.I)
# A question for facts may be one for the web search.
FACTS = re.compile(
    r"(what|who|when|where|which|how|why|is|are|does|do|did|was|were|has|have|can|could|look|find|search|tell|give|show|name|"
    r"explain|list|i (want|need|would like|'d like) to know|in)\b", re.I)
OWN_BANK = re.compile(r"\b(account|card|bank|checking|transaction)", re.I)


def table(intents):
    return {intent: family for family, names in intents.items() for intent in names.split()}


def mended(family, intent, text):
    """The family of a sentence within its intent; None when it is rather another's."""
    low = text.lower()
    if "[" in text or "_" in text or low in ("null", ""):
        return None
    if intent == "oos":
        return None if FACTS.match(low) else "none"
    if family == "graph":
        if re.search(r"\bremind", low):
            return "tasks" if intent == "calendar_set" else None
        return None if re.search(r"birthday|\brooms?\b|\balarm", low) else family
    if family == "lists":
        if re.search(r"grocer|shopping|supermarket", low):
            return "grocery"
        return "tasks" if re.search(r"\bto-?\s?do\b|\btasks?\b|\bchores?\b", low) else None
    if intent == "cooking_recipe" and not re.search(r"recipe|cook|make|ingredient|prepare|bake", low):
        return None
    if intent == "meal_suggestion" and re.search(r"restaurant|order|place", low):
        return None
    if family == "expenses" and re.match(r"i('ve| have)?( been)? (spent|spending)|have i have", low):
        return None
    if family == "expenses" and OWN_BANK.search(low):
        return None
    if intent.startswith("datetime") and re.search(r"\bmy time ?zone|change time ?zone", low):
        return "settings"
    if intent in ("audio_volume_mute", "general_commandstop") and re.search(r"quiet|silen|disturb", low):
        return None
    if intent in ("general_confirm", "general_commandstop", "social_post", "calculator") and re.search(r"\b(mail|search)\b", low):
        return None
    if family == "none" and re.search(
            r"\bremind|\bcalendar|\bto-?do\b|\be-?mails?\b|\bgrocer|\bshopping|\brecipe|\bnotes?\b|\bschedule (a|my|for)|"
            r"\bbudget|\bvideo|youtube|\bnews\b|\bsearch\b|\bgoogle\b|\blook up\b|\bonline\b|\bweb\b|\binternet\b|\blist\b", low):
        return None
    return family


def main():
    clinc, folder, out = sys.argv[1:]
    seen, rows = set(), []

    def take(family, intent, text):
        text = " ".join(WAKE.sub("", " ".join(text.strip(" <>\"").split())).split())
        family = mended(family, intent, text)
        key = re.sub(r"\W+", " ", text.lower()).strip()
        if family and 1 < len(text) < 160 and text.isascii() and key not in seen:
            seen.add(key)
            rows.append((family, text, intent))

    known = table(CLINC)
    for part in json.loads(pathlib.Path(clinc).read_text()).values():
        for text, intent in part:
            if intent in known:
                take(known[intent], intent, text)
    known = table(NLU)
    for path in sorted(pathlib.Path(folder).rglob("*.csv")):
        with open(path, encoding="utf-8", errors="replace") as file:
            for row in csv.DictReader(file, delimiter=";"):
                intent = f"{row.get('scenario')}_{row.get('intent')}"
                if intent in known:
                    take(known[intent], intent, row.get("answer_from_user") or row.get("answer_from_anno") or "")
    rows.sort()
    random.Random(11).shuffle(rows)
    pathlib.Path(out).write_text("".join(f"{family}\t{text}\n" for family, text, _ in rows))
    print(collections.Counter(family for family, _, _ in rows))


if __name__ == "__main__":
    main()
