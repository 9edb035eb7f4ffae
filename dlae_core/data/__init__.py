"""Data: HDF5 files to exact batches. `source` is light (NumPy and h5py), the rest is not."""
