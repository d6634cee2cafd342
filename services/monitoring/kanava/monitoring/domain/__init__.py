"""Pure rules of monitoring: reported rows, files, indicators and letters. No I/O, nothing asynchronous."""
