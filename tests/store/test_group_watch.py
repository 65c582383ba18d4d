"""A running daemon sees what commands do to the groups of unknown people."""

from builders.groups import a_book, a_grouped_track, a_track_id
from builders.namespaces import MODEL, HandClock, Ids, a_new_face, a_store
from builders.patience import PATIENCE_S, eventually
from edged.pipeline.galleries import Galleries
from edged.pipeline.group_books import GroupBooks
from edged.recognition.grouping import founded_id
from edged.settings.groups import Groups
from edged.settings.quantities import Duration
from edged.store.gallery_watch import GalleryWatch
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.namespace_files import namespace_path


class Watching:
    """The thread that watches a folder, the real books, and a writer of groups as the daemon has one."""

    def __init__(self, data_dir, **settings):
        self.data_dir = data_dir
        self.galleries = Galleries()
        self.books = GroupBooks(a_book)
        self.clock = HandClock()
        self.records = GroupRecords(data_dir, ["home"], Groups(**settings), self.clock, Ids("records"))
        self.watch = GalleryWatch(
            data_dir, ["home"], MODEL, self.galleries, HandClock(), Ids("watch"), self.books
        )

    def __enter__(self):
        self.watch.start()
        assert self.watch.wait_until_read(PATIENCE_S)
        return self

    def __exit__(self, *_):
        assert self.watch.stop(PATIENCE_S)
        self.records.close()

    def tell(self, *news):
        self.records.record([("home", one) for one in news])

    @property
    def size(self):
        return len(self.books.of("home"))

    def group_of(self, number):
        membership = self.books.of("home").membership(a_track_id(number))
        return membership.group_id if membership else None


def group_id(number):
    return founded_id(a_track_id(number), ())


def test_groups_of_the_last_run_are_known_at_the_start(tmp_path):
    before = Watching(tmp_path)
    before.tell(a_grouped_track(1, 7), a_grouped_track(2, 8))
    before.records.close()

    with Watching(tmp_path) as now:
        assert now.size == 2
        assert now.group_of(1) == group_id(1)


def test_what_commands_do_comes_to_the_books(tmp_path):
    Watching(tmp_path).tell(a_grouped_track(1, 7), a_grouped_track(2, 8), a_grouped_track(3, 9))
    with Watching(tmp_path) as now, a_store(tmp_path, seed="command") as store:
        groups = GroupStore(store)
        assert now.size == 3

        groups.merge([groups.find(group_id(1)), groups.find(group_id(2))])
        eventually(lambda: now.group_of(2) == group_id(1))
        groups.split_off(groups.find(group_id(1)), [a_track_id(2)])
        eventually(lambda: now.group_of(2) == group_id(2))
        groups.forget([groups.find(group_id(3))])
        eventually(lambda: now.group_of(3) is None)
        group = groups.find(group_id(1))
        groups.enrol(group, [face.number for face in groups.faces_of(group)], name="Ada")
        eventually(lambda: now.size == 1)
        assert len(now.galleries.current("home")) == 1, "known before the group is gone"


def test_what_the_daemon_writes_itself_does_not_come_back_to_it(tmp_path):
    with Watching(tmp_path) as now:
        now.tell(a_grouped_track(1, 7))
        with a_store(tmp_path, seed="command") as store:
            store.add_identity("Ada", [a_new_face(1)])
        eventually(lambda: len(now.galleries.current("home")) == 1)
        # The file appeared with this group in it, and that is how the books learned of it; another one is
        # the recogniser's own, which has it in its books before it is written.
        now.tell(a_grouped_track(2, 8))
        with a_store(tmp_path, seed="other") as store:
            store.add_identity("Bob", [a_new_face(2)])
        eventually(lambda: len(now.galleries.current("home")) == 2)

        assert now.group_of(2) is None


def test_retention_on_the_disk_is_retention_in_memory(tmp_path):
    Watching(tmp_path).tell(a_grouped_track(1, 7))
    with Watching(tmp_path, max_age=Duration(3600)) as now:
        assert now.size == 1
        now.clock.ms = 3_600_001
        now.records.sweep()
        eventually(lambda: now.size == 0)


def test_a_file_that_is_deleted_takes_the_groups_along(tmp_path):
    Watching(tmp_path).tell(a_grouped_track(1, 7))
    with Watching(tmp_path) as now:
        assert now.size == 1
        path = namespace_path(tmp_path, "home")
        for suffix in ("-wal", "-shm", ""):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

        eventually(lambda: now.size == 0)
        now.tell(a_grouped_track(2, 8))
        assert path.exists(), "and the next one is written to a new file"
