"""The tables of ``library.sqlite``, and the migration of older files.

``PRAGMA user_version`` is the number of migrations that have been applied to a file. A released migration is never edited: each
change of the tables is a new entry.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sonotheque.errors import LibraryError

MIGRATIONS = (
    """
    CREATE TABLE library (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    INSERT INTO library VALUES ('generation', '0');

    CREATE TABLE tracks (
        id INTEGER PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,         -- SHA-256 of the file's bytes
        seconds REAL NOT NULL,             -- decoded length
        sample_rate INTEGER NOT NULL,      -- Hz, as the file has it
        channels INTEGER NOT NULL,
        silent INTEGER NOT NULL,           -- 1: digital silence
        notice TEXT,                       -- such as 'truncated: ...'
        title TEXT, artist TEXT, album TEXT, genre TEXT, musicbrainz_id TEXT   -- the file's own tags
    ) STRICT;

    CREATE TABLE files (                   -- where a track lies; copies share one track
        path TEXT PRIMARY KEY,
        track_id INTEGER NOT NULL REFERENCES tracks ON DELETE CASCADE,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX files_by_track ON files (track_id);

    CREATE TABLE labels (                  -- what a person said; artist and album where the labels name them
        track_id INTEGER PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
        label TEXT NOT NULL,
        source TEXT NOT NULL,
        artist TEXT, album TEXT
    ) STRICT;

    CREATE TABLE spaces (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,         -- Space.id
        dimensions INTEGER NOT NULL,
        generation INTEGER NOT NULL DEFAULT 0   -- rises with every change of its vectors
    ) STRICT;

    CREATE TABLE vectors (
        track_id INTEGER NOT NULL REFERENCES tracks ON DELETE CASCADE,
        space_id INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
        vector BLOB NOT NULL,              -- float32 little-endian [D]
        segments BLOB NOT NULL,            -- float32 little-endian [S, D], 10 s each
        PRIMARY KEY (track_id, space_id)
    ) STRICT;

    CREATE TABLE failures (
        path TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE copies (                  -- augmented copies of tracks: they teach and are never judged
        track_id INTEGER NOT NULL REFERENCES tracks ON DELETE CASCADE,
        space_id INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
        number INTEGER NOT NULL,           -- 1 and up
        recipe TEXT NOT NULL,              -- version of the transforms that made it
        vector BLOB NOT NULL,
        segments BLOB NOT NULL,
        PRIMARY KEY (track_id, space_id, number)
    ) STRICT;
    """,
    """
    CREATE TABLE maps (                    -- the map of a space
        space_id INTEGER PRIMARY KEY REFERENCES spaces ON DELETE CASCADE,
        parameters TEXT NOT NULL           -- JSON: what it was made with
    ) STRICT;

    CREATE TABLE places (                  -- where a track lies on it
        space_id INTEGER NOT NULL REFERENCES maps ON DELETE CASCADE,
        track_id INTEGER NOT NULL REFERENCES tracks ON DELETE CASCADE,
        x REAL NOT NULL, y REAL NOT NULL,
        cluster INTEGER,                   -- NULL: in none
        membership BLOB NOT NULL,          -- float32 little-endian, one for each cluster
        later INTEGER NOT NULL,            -- 1: put there after the map was drawn
        PRIMARY KEY (space_id, track_id)
    ) STRICT;
    CREATE INDEX places_by_track ON places (track_id);
    """,
    """
    ALTER TABLE places RENAME TO map_positions;
    DROP INDEX places_by_track;
    CREATE INDEX map_positions_by_track ON map_positions (track_id);
    """,
    """
    CREATE TABLE changes (                 -- what `undo` takes back: a change of labels, or a removal
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('labels', 'removal', 'restoration')),
        command TEXT NOT NULL,             -- such as 'label genres.csv'
        time TEXT NOT NULL,                -- UTC, ISO 8601
        labels INTEGER NOT NULL,           -- how many labels changed
        tracks INTEGER NOT NULL,           -- how many tracks were removed
        undone TEXT                        -- when `undo` took it back
    ) STRICT;

    CREATE TABLE label_changes (           -- NULL as the label: the track had none, or was removed
        change_id INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
        hash TEXT NOT NULL,                -- the track, also when it is no longer in the library
        path TEXT NOT NULL,                -- where it was
        old_label TEXT, old_source TEXT, old_artist TEXT, old_album TEXT,
        new_label TEXT, new_source TEXT, new_artist TEXT, new_album TEXT,
        PRIMARY KEY (change_id, hash)
    ) STRICT;
    CREATE INDEX label_changes_by_hash ON label_changes (hash);
    CREATE INDEX label_changes_by_path ON label_changes (path);

    CREATE TABLE kept_labels (             -- labels of tracks that are no longer in the library
        hash TEXT PRIMARY KEY,
        label TEXT NOT NULL,
        source TEXT NOT NULL,
        artist TEXT, album TEXT
    ) STRICT;

    -- what `undo` needs to bring removed tracks back: for each table, the change that removed the row, then the table's columns
    CREATE TABLE removed_tracks (
        change_id INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
        id INTEGER NOT NULL,
        hash TEXT NOT NULL,
        seconds REAL NOT NULL,
        sample_rate INTEGER NOT NULL,
        channels INTEGER NOT NULL,
        silent INTEGER NOT NULL,
        notice TEXT,
        title TEXT, artist TEXT, album TEXT, genre TEXT, musicbrainz_id TEXT,
        PRIMARY KEY (change_id, id)
    ) STRICT;

    CREATE TABLE removed_files (           -- also the files of tracks that have others
        change_id INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
        path TEXT NOT NULL,
        hash TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        PRIMARY KEY (change_id, path)
    ) STRICT;

    CREATE TABLE removed_failures (
        change_id INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
        path TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (change_id, path)
    ) STRICT;

    CREATE TABLE removed_vectors (
        change_id INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
        track_id INTEGER NOT NULL,
        space_id INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
        vector BLOB NOT NULL,
        segments BLOB NOT NULL,
        PRIMARY KEY (change_id, track_id, space_id)
    ) STRICT;

    CREATE TABLE removed_copies (
        change_id INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
        track_id INTEGER NOT NULL,
        space_id INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
        number INTEGER NOT NULL,
        recipe TEXT NOT NULL,
        vector BLOB NOT NULL,
        segments BLOB NOT NULL,
        PRIMARY KEY (change_id, track_id, space_id, number)
    ) STRICT;

    CREATE TABLE removed_map_positions (   -- deleted when the map is computed again
        change_id INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
        space_id INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
        track_id INTEGER NOT NULL,
        x REAL NOT NULL, y REAL NOT NULL,
        cluster INTEGER,
        membership BLOB NOT NULL,
        later INTEGER NOT NULL,
        PRIMARY KEY (change_id, space_id, track_id)
    ) STRICT;
    CREATE INDEX removed_map_positions_by_track ON removed_map_positions (change_id, track_id);
    """,
    """
    CREATE TABLE auto_tags (               -- of tracks that need no vectors in the space of the tagging network
        track_id INTEGER PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
        space TEXT NOT NULL,               -- Space.id of the vector that they were computed from
        logits BLOB NOT NULL               -- float32 little-endian, one for each tag
    ) STRICT;

    CREATE TABLE removed_auto_tags (
        change_id INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
        track_id INTEGER NOT NULL,
        space TEXT NOT NULL,
        logits BLOB NOT NULL,
        PRIMARY KEY (change_id, track_id)
    ) STRICT;
    """,
    """
    CREATE TABLE tempo_keys (              -- computed with every add
        track_id INTEGER PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
        method TEXT NOT NULL,              -- version of the estimation
        tempo REAL,                        -- beats per minute; NULL: no pulse
        tempo_confidence REAL NOT NULL,    -- 0 to 1
        key TEXT,                          -- such as 'F# minor'; NULL: no pitch
        key_confidence REAL NOT NULL
    ) STRICT;

    CREATE TABLE removed_tempo_keys (
        change_id INTEGER NOT NULL REFERENCES changes ON DELETE CASCADE,
        track_id INTEGER NOT NULL,
        method TEXT NOT NULL,
        tempo REAL,
        tempo_confidence REAL NOT NULL,
        key TEXT,
        key_confidence REAL NOT NULL,
        PRIMARY KEY (change_id, track_id)
    ) STRICT;
    """,
    """
    CREATE TABLE outputs (                 -- files that were written for the user
        path TEXT PRIMARY KEY,             -- without symbolic links
        output TEXT NOT NULL,              -- command and option, such as 'clusters --csv'
        sha256 TEXT NOT NULL,              -- of the content
        tracks INTEGER                     -- tracks in the library then; NULL: not about the whole library
    ) STRICT;

    CREATE TABLE search_names (            -- a cache of what tracks are called, see store/search_names.py
        key TEXT NOT NULL,                 -- without case and accents
        field TEXT NOT NULL,               -- 'file', 'stem', 'title' or 'artist'
        track_id INTEGER NOT NULL,
        PRIMARY KEY (key, field, track_id)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE vector_changes (          -- each vector that was written or deleted; rows older than the index are dropped
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        space_id INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
        track_id INTEGER NOT NULL,         -- also of tracks that are no longer there
        mark BLOB NOT NULL DEFAULT (randomblob(8))   -- tells apart two files with the same numbers, such as a restored backup
    ) STRICT;
    CREATE INDEX vector_changes_by_space ON vector_changes (space_id, number);
    INSERT INTO vector_changes (space_id, track_id) SELECT space_id, min(track_id) FROM vectors GROUP BY space_id;

    ALTER TABLE spaces ADD COLUMN tracks INTEGER NOT NULL DEFAULT 0;   -- how many have a vector, kept by the triggers
    UPDATE spaces SET tracks = (SELECT count(*) FROM vectors WHERE space_id = spaces.id);

    CREATE TRIGGER vectors_inserted AFTER INSERT ON vectors BEGIN
        INSERT INTO vector_changes (space_id, track_id) VALUES (new.space_id, new.track_id);
        UPDATE spaces SET tracks = tracks + 1 WHERE id = new.space_id;
    END;
    CREATE TRIGGER vectors_updated AFTER UPDATE ON vectors BEGIN
        INSERT INTO vector_changes (space_id, track_id) VALUES (new.space_id, new.track_id);
    END;
    CREATE TRIGGER vectors_deleted AFTER DELETE ON vectors BEGIN
        INSERT INTO vector_changes (space_id, track_id) VALUES (old.space_id, old.track_id);
        UPDATE spaces SET tracks = tracks - 1 WHERE id = old.space_id;
    END;

    ALTER TABLE tracks ADD COLUMN year INTEGER;            -- of release, from the file's tags; NULL: not read, 0: none
    ALTER TABLE removed_tracks ADD COLUMN year INTEGER;
    CREATE INDEX tracks_by_year ON tracks (year) WHERE year > 0;
    CREATE INDEX tempo_keys_by_tempo ON tempo_keys (tempo);
    CREATE INDEX tempo_keys_by_key ON tempo_keys (key);
    CREATE INDEX labels_by_label ON labels (label, track_id);
    CREATE INDEX tracks_by_genre ON tracks (genre) WHERE genre <> '';
    CREATE INDEX tracks_with_remarks ON tracks (id) WHERE silent = 1 OR notice IS NOT NULL;
    """,
    """
    DELETE FROM search_names;
    DELETE FROM library WHERE key = 'search_names';
    CREATE INDEX search_names_by_track ON search_names (track_id);

    CREATE VIRTUAL TABLE name_words USING fts5 (  -- the words of the names, without case and accents; rowid is the track's id
        title, artist, album, file, tokenize = "unicode61 remove_diacritics 2"
    );

    CREATE TABLE stale_search_names (      -- tracks whose rows in the two tables of names are out of date
        track_id INTEGER PRIMARY KEY
    ) STRICT;
    INSERT INTO stale_search_names SELECT id FROM tracks;

    CREATE TRIGGER search_names_file_replaced BEFORE INSERT ON files BEGIN
        INSERT OR IGNORE INTO stale_search_names SELECT track_id FROM files WHERE path = NEW.path;
    END;
    CREATE TRIGGER search_names_file_added AFTER INSERT ON files BEGIN
        INSERT OR IGNORE INTO stale_search_names VALUES (NEW.track_id);
    END;
    CREATE TRIGGER search_names_file_moved AFTER UPDATE OF path, track_id ON files BEGIN
        INSERT OR IGNORE INTO stale_search_names VALUES (OLD.track_id);
        INSERT OR IGNORE INTO stale_search_names VALUES (NEW.track_id);
    END;
    CREATE TRIGGER search_names_file_deleted AFTER DELETE ON files BEGIN
        INSERT OR IGNORE INTO stale_search_names VALUES (OLD.track_id);
    END;
    CREATE TRIGGER search_names_track_renamed AFTER UPDATE OF title, artist, album ON tracks BEGIN
        INSERT OR IGNORE INTO stale_search_names VALUES (NEW.id);
    END;
    CREATE TRIGGER search_names_track_deleted AFTER DELETE ON tracks BEGIN
        INSERT OR IGNORE INTO stale_search_names VALUES (OLD.id);
    END;
    CREATE TRIGGER search_names_label_added AFTER INSERT ON labels
    WHEN NEW.artist IS NOT NULL OR NEW.album IS NOT NULL BEGIN
        INSERT OR IGNORE INTO stale_search_names VALUES (NEW.track_id);
    END;
    CREATE TRIGGER search_names_label_changed AFTER UPDATE OF artist, album ON labels BEGIN
        INSERT OR IGNORE INTO stale_search_names VALUES (NEW.track_id);
    END;
    CREATE TRIGGER search_names_label_deleted AFTER DELETE ON labels
    WHEN OLD.artist IS NOT NULL OR OLD.album IS NOT NULL BEGIN
        INSERT OR IGNORE INTO stale_search_names VALUES (OLD.track_id);
    END;

    CREATE TABLE changed_tracks (          -- the last change of each track since the table was made, deleted tracks included
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        track_id INTEGER NOT NULL UNIQUE
    ) STRICT;

    CREATE TRIGGER changed_tracks_insert AFTER INSERT ON tracks BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.id);
    END;
    CREATE TRIGGER changed_tracks_update AFTER UPDATE OF hash, silent, genre ON tracks BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.id);
    END;
    CREATE TRIGGER changed_tracks_delete AFTER DELETE ON tracks BEGIN
        DELETE FROM changed_tracks WHERE track_id = OLD.id;
        INSERT INTO changed_tracks (track_id) VALUES (OLD.id);
    END;
    CREATE TRIGGER changed_labels_insert AFTER INSERT ON labels BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.track_id);
    END;
    CREATE TRIGGER changed_labels_update AFTER UPDATE OF label ON labels BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.track_id);
    END;
    CREATE TRIGGER changed_labels_delete AFTER DELETE ON labels BEGIN
        DELETE FROM changed_tracks WHERE track_id = OLD.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (OLD.track_id);
    END;
    CREATE TRIGGER changed_tempo_keys_insert AFTER INSERT ON tempo_keys BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.track_id);
    END;
    CREATE TRIGGER changed_tempo_keys_update AFTER UPDATE ON tempo_keys BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.track_id);
    END;
    CREATE TRIGGER changed_tempo_keys_delete AFTER DELETE ON tempo_keys BEGIN
        DELETE FROM changed_tracks WHERE track_id = OLD.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (OLD.track_id);
    END;
    CREATE TRIGGER changed_auto_tags_insert AFTER INSERT ON auto_tags BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.track_id);
    END;
    CREATE TRIGGER changed_auto_tags_update AFTER UPDATE ON auto_tags BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.track_id);
    END;
    CREATE TRIGGER changed_auto_tags_delete AFTER DELETE ON auto_tags BEGIN
        DELETE FROM changed_tracks WHERE track_id = OLD.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (OLD.track_id);
    END;
    CREATE TRIGGER changed_vectors_insert AFTER INSERT ON vectors BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.track_id);
    END;
    CREATE TRIGGER changed_vectors_update AFTER UPDATE OF vector ON vectors BEGIN
        DELETE FROM changed_tracks WHERE track_id = NEW.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (NEW.track_id);
    END;
    CREATE TRIGGER changed_vectors_delete AFTER DELETE ON vectors BEGIN
        DELETE FROM changed_tracks WHERE track_id = OLD.track_id;
        INSERT INTO changed_tracks (track_id) VALUES (OLD.track_id);
    END;
    """,
    """
    CREATE TABLE fingerprints (            -- a cache of audio fingerprints, see store/fingerprints.py
        hash TEXT NOT NULL,                -- the track's content, also when it is no longer in the library
        method TEXT NOT NULL,              -- FingerprintMethod.id
        steps BLOB NOT NULL,               -- uint32 little-endian, one for each step
        PRIMARY KEY (hash, method)
    ) STRICT;
    """,
)


def migrate(connection: sqlite3.Connection, *, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Migrate a file to the newest schema, each step in one transaction.

    Raises
    ------
    LibraryError
        If the file was written by a newer version of sonotheque.
    """
    while True:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(migrations):
            raise LibraryError(
                f"the library has schema {version}, this version of sonotheque supports {len(migrations)}; update sonotheque"
            )
        if version == len(migrations):
            return
        # the constraint fails if another process has migrated the file since the version was read
        step = f"""
            BEGIN IMMEDIATE;
            CREATE TEMP TABLE seen (version INTEGER CHECK (version = {version}));
            INSERT INTO seen SELECT user_version FROM pragma_user_version;
            DROP TABLE seen;
            {migrations[version]};
            PRAGMA user_version = {version + 1};
            COMMIT;
        """  # noqa: S608 - no user input
        try:
            connection.executescript(step)
        except sqlite3.IntegrityError:  # the constraint above
            connection.execute("ROLLBACK")
