"""src/intel_ml/surfaces/cli"""
