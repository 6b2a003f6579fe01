"""src/intel_ml/core"""
