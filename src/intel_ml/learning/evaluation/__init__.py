"""src/intel_ml/learning/evaluation"""
