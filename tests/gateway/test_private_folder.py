import os
from pathlib import Path

import pytest

from gateway.private_folder import claim, owned, socket_folder

SOCKET = ".s.PGSQL.5432"


class TestClaim:
    def test_makes_a_folder_that_others_cannot_enter(self, tmp_path: Path) -> None:
        claim(tmp_path / "var" / "postgres")

        assert (tmp_path / "var" / "postgres").stat().st_mode & 0o777 == 0o700

    def test_closes_a_folder_that_was_open(self, tmp_path: Path) -> None:
        folder = tmp_path / "open"
        folder.mkdir(mode=0o755)

        claim(folder)

        assert folder.stat().st_mode & 0o777 == 0o700

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder in another user's name")
    @pytest.mark.parametrize("is_link", [False, True])
    def test_refuses_what_another_user_put_there(self, tmp_path: Path, is_link: bool) -> None:
        folder = tmp_path / "trap"
        if is_link:
            folder.symlink_to(tmp_path)
        else:
            folder.mkdir()
        os.chown(folder, 1, 1, follow_symlinks=False)

        with pytest.raises(PermissionError, match="another user"):
            claim(folder)


class TestOwned:
    def test_names_the_owner_to_the_next_one(self, tmp_path: Path) -> None:
        lock = tmp_path / "owner.lock"

        with owned(lock), pytest.raises(BlockingIOError, match=str(os.getpid())), owned(lock):
            pass

    def test_is_free_again_afterwards(self, tmp_path: Path) -> None:
        lock = tmp_path / "owner.lock"
        lock.write_text("123456")

        with owned(lock):
            pass
        with owned(lock):
            assert lock.read_text() == str(os.getpid())


class TestSocketFolder:
    def test_is_the_folder_itself_if_it_can_be(self) -> None:
        folder = Path("/srv/my clone/ünï/var/postgres")

        assert socket_folder(folder, SOCKET) == folder

    @pytest.mark.parametrize(
        "folder", ["/srv/" + "x" * 90, "/srv/" + "ü" * 45, "/srv/a,b", '/srv/a"b', "/srv/caf\udce9"]
    )
    def test_is_a_short_one_for_a_path_that_is_no_address(
        self, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

        assert socket_folder(Path(folder), SOCKET).parent == tmp_path

    def test_differs_between_clones(self) -> None:
        clones = [Path("/home/one", "x" * 100), Path("/home/two", "x" * 100)]

        assert socket_folder(clones[0], SOCKET) != socket_folder(clones[1], SOCKET)

    def test_passes_over_a_runtime_folder_that_is_gone_and_a_long_temporary_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long = tmp_path / ("x" * 100)
        long.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
        monkeypatch.setattr("tempfile.tempdir", str(long))

        assert socket_folder(long / "postgres", SOCKET).parent == Path("/tmp")  # noqa: S108
