"""Where in its input a network finds a class: Grad-CAM and Grad-CAM++ for images and clips, and the paper's Fig. 4."""
