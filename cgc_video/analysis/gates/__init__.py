"""What the gates of a trained network tell classes apart by (A.1, Fig. 5), and how they follow time."""
