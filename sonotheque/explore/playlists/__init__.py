"""Make playlists, read them from M3U files, and write them as M3U or Rekordbox XML."""

from sonotheque.explore.playlists.m3u import format_m3u, write_m3u
from sonotheque.explore.playlists.make_playlist import PlaylistSource, make_playlist, make_rules, restrict_tracks
from sonotheque.explore.playlists.read_m3u import find_entries, read_m3u
from sonotheque.explore.playlists.rekordbox import format_rekordbox, write_rekordbox
from sonotheque.explore.playlists.select_tracks import PlaylistRules

__all__ = [
    "PlaylistRules",
    "PlaylistSource",
    "find_entries",
    "format_m3u",
    "format_rekordbox",
    "make_playlist",
    "make_rules",
    "read_m3u",
    "restrict_tracks",
    "write_m3u",
    "write_rekordbox",
]
