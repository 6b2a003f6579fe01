"""src/intel_ml/surfaces"""
