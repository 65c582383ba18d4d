from edged.app import machinery

LONGEST_S = 5.0


def test_all_waits_of_a_stop_together_stay_below_five_seconds() -> None:
    doors, keepers = 2, 2  # HTTP and MQTT; groups and history
    waits_s = (
        doors * machinery.STOP_DOORS_S,
        machinery.STOP_CLERK_S,
        machinery.STOP_RECOGNISER_S,
        machinery.STOP_COMMITTER_S,
        machinery.STOP_CLEANER_S,
        keepers * machinery.STOP_KEEPER_S,
        machinery.STOP_WATCH_S,
        machinery.LAST_WORDS_S,
        machinery.STOP_SINKS_S,
        machinery.STOP_CAPTURE_S,
    )
    assert sum(waits_s) < LONGEST_S
