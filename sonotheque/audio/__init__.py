"""From a file or bytes to samples: decoding, downmix, resampling, and the log-mel spectrogram.

It knows nothing of networks, libraries or music.
"""

from sonotheque.audio.decode import Decoder, Source, open_decoder
from sonotheque.audio.mel import LogMel, mel_filters
from sonotheque.audio.mono import MonoStream, load

__all__ = ["Decoder", "LogMel", "MonoStream", "Source", "load", "mel_filters", "open_decoder"]
