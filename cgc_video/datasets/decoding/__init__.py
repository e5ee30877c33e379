"""Frames by number, from video files and from folders of images.

The rules of this room:

- **Frame ``i`` is the i-th frame of a sequential decode**, for every container, codec and GOP structure, variable frame
  rate included; a clip's ``num_frames`` counts the same frames. Frames that an edit list cuts away do not count.
- PyAV demuxes a file once. MP4, MOV, Matroska and WebM with H.264, HEVC or VP9 are decoded selectively (``packets``,
  ``selective``): from the last random access point before each wanted frame, leaving out pictures that no other refers
  to. All else (AVI, transport and program streams, AV1, MPEG-4, VP8, interlaced video, missing or doubled time stamps,
  a stream that does not start at a key frame) is decoded from the first frame on and counted (``sequential``); counts
  are remembered per process. If the decoder disagrees with the index, the file is decoded sequentially, and is damaged
  if the numbers of frames differ.
- The best video stream is chosen as FFmpeg does. Rotation by quarter turns is applied, in every back end. All frames
  have the size of the first; one of another size is scaled to it. Colours follow the file's tags (OpenCV knows BT.601
  only).
- A file that cannot be decoded raises one ``DecodeError`` with path and reason. A part that its container announces and
  that is not there is an error even where a decoder would pass over it (``structure``), and so is a frame that the
  decoder patched up.
- A file that takes longer than its time limit raises, too; decord runs in a process that is killed then (``helper``).
- decord is obeyed where it is wrong, and a line says so once (``advice``).
- A clip that asks for more frames than there are is the sampler's affair: ``SampleFrames`` and ``DenseSampleFrames``
  start over from the first frame (``out_of_bound_opt="loop"``, index modulo length) or hold the last
  (``"repeat_last"``). An index out of range is an error here.
- Images: ``frames`` finds the template and the first number of a folder, ``jpeg`` decodes one.

Import the submodules: this file imports nothing.
"""
