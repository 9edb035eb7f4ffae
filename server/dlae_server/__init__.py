"""The DLAE service: gRPC around the engine. Never imports TensorFlow or Keras in this process."""
