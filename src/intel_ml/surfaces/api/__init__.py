"""src/intel_ml/surfaces/api"""
