"""Results to look at: pictures (`picture`) and interactive pages (`page`)."""
